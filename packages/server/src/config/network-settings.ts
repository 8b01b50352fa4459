import { destinationList } from './network-kinds.ts';
import { oneOf, setting } from './setting.ts';

/** The settings about who may connect here, and where this program may connect to. */
export const NETWORK_SETTINGS = {
  egressAllowPrivate: setting<'accounts' | 'listed' | 'never'>({
    kind: oneOf(['accounts', 'listed', 'never']),
    default: 'accounts',
    group: 'Network',
    aliases: ['EGRESS_ALLOW_PRIVATE'],
    doc: 'Who may permit upstreams on this machine or in private networks: accounts = each account for itself, and the list; listed = only the list in egressAllowHosts; never = nobody.',
  }),
  egressAllowHosts: setting<string[]>({
    kind: destinationList(),
    default: [],
    defaultDoc: 'none',
    group: 'Network',
    aliases: ['EGRESS_ALLOW_HOSTS'],
    doc: 'Upstreams that may be private without the permission of an account: exact hosts, with or without a port, and networks.',
  }),
};
