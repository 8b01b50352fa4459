import { useMay } from '../../app/api/use-may.ts';
import { SecurityTabs } from '../../app/shell/security-tabs.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { NetworkSection } from './network-section.tsx';
import { SsoSection } from './sso-section.tsx';
import { Workspaces } from './workspaces.tsx';

/** Who comes in from where, and through which provider. */
export function AccessScreen() {
  useTitle('Access');
  const may = useMay();
  return (
    <>
      <PageHeader title="Access" />
      <SecurityTabs />
      <SsoSection mayTest={may('security.manage')} />
      <Workspaces mayChange={may('system.manage')} />
      <NetworkSection />
    </>
  );
}
