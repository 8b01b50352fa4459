import type { Me } from '@tallygate/contract/api/auth';
import type { LiveSession } from '../../identity/sessions.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { SessionChange } from '../route.ts';

/** The signed-in person as the dashboard sees them. */
export function meView({ user, row }: LiveSession): Me {
  return {
    user: { id: user.id, username: user.username, role: user.role },
    session: {
      createdAt: new Date(row.createdAtMs).toISOString(),
      expiresAt: new Date(row.expiresAtMs).toISOString(),
    },
  };
}

/** The cookie lives as long as the session may at most; idleness is judged on the server. */
export function setCookie(token: Secret, { row }: LiveSession): SessionChange {
  return { action: 'set', token, maxAgeSeconds: Math.floor((row.expiresAtMs - row.createdAtMs) / 1000) };
}
