import type { AlertTemplate, ChannelTarget } from '@tallygate/contract/api/alerts';
import { TEMPLATE_FIELDS, unknownFields } from '../../alerts/template.ts';
import type { ChannelSetup } from '../../delivery/channel-adapter.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';

const wrong = (path: string, message: string): Error => invalidInput([{ in: 'body', path, message }]);

/** @throws AppError `invalid_request` that names what there is */
export function assertTemplate(template: AlertTemplate | null | undefined): void {
  const [unknown] = template === null || template === undefined ? [] : unknownFields(template);
  if (unknown !== undefined)
    throw wrong('template', `{{${unknown}}} stands for nothing; there are ${TEMPLATE_FIELDS.join(', ')}`);
}

function assertNoLogin(target: ChannelTarget): void {
  if (!('url' in target)) return;
  const { username, password } = new URL(target.url);
  if (username !== '' || password !== '') throw wrong('target.url', 'must not carry a user name or password');
}

/**
 * Takes a target apart and asks the egress policy (TW-17). Names are judged again, by the addresses they resolve to,
 * at every connection.
 * @throws AppError `invalid_request`
 */
export function setUpChannel(target: ChannelTarget, allowPrivate: boolean, deps: AdminDeps): ChannelSetup {
  const adapter = deps.alerting.channels.find(({ kind }) => kind === target.kind);
  assertNoLogin(target);
  const setup = adapter?.configure(target, deps.randomBytes) ?? null;
  if (setup === null) throw wrong('target.kind', 'is not a kind of channel this server knows');
  const { hostname, port, encrypted } = setup.endpoint;
  const path = target.kind === 'email' ? 'target.host' : 'target.url';
  const url = URL.parse(`http://${hostname}/`);
  if (url === null) throw wrong(path, 'must be a host name or an address');
  const to = { hostname: url.hostname, port, allowPrivate };
  if (!deps.egressPolicy.permitsHost(to)) {
    throw wrong(
      path,
      allowPrivate
        ? 'points to an address that this server never connects to, or only when EGRESS_ALLOW_HOSTS names it'
        : 'points to this machine or a private network, which needs allowPrivate: true or a line in EGRESS_ALLOW_HOSTS',
    );
  }
  if (!encrypted && !deps.egressPolicy.mayBePrivate(to)) {
    throw wrong(
      target.kind === 'email' ? 'target.security' : 'target.url',
      'must be encrypted: anybody on the way could read and forge it (allowPrivate: true or EGRESS_ALLOW_HOSTS permits it)',
    );
  }
  return setup;
}
