import { SectionTabs } from '../../ui/section-tabs.tsx';
import { useMay } from '../api/use-may.ts';

const SECURITY_TABS = [
  { to: '/security', label: 'Findings', needs: 'audit.view' },
  { to: '/checks', label: 'Checks', needs: 'system.manage' },
  { to: '/audit', label: 'Audit', needs: 'audit.view' },
  { to: '/incident', label: 'Incident', needs: 'system.manage' },
  { to: '/access', label: 'Access', needs: 'system.view' },
  { to: '/vault', label: 'Vault', needs: 'system.view' },
] as const;

/** The screens behind the one place "Security". */
export function SecurityTabs() {
  const may = useMay();
  return <SectionTabs label="Security" tabs={SECURITY_TABS.filter(({ needs }) => may(needs))} />;
}
