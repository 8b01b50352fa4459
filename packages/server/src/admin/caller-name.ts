import type { Principal } from '../identity/principal.ts';

/** What people read of who asked for something. */
export function nameOfCaller(principal: Principal): string {
  if (principal.kind === 'session') return principal.session.user.username;
  return principal.kind === 'key' ? `key ${principal.key.name}` : 'the command line on the server';
}
