import { useMay } from '../../app/api/use-may.ts';
import { SectionTabs } from '../../ui/section-tabs.tsx';

const SEEN = [
  { to: '/alerts', label: 'Rules' },
  { to: '/alerts/history', label: 'History' },
] as const;
const MANAGED = [
  { to: '/alerts/deliveries', label: 'Deliveries' },
  { to: '/alerts/channels', label: 'Channels' },
] as const;

/** The screens behind the one place "Alerts". */
export function AlertTabs() {
  const may = useMay();
  return <SectionTabs label="Alerts" tabs={may('alerts.manage') ? [...SEEN, ...MANAGED] : SEEN} />;
}
