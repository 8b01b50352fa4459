import type { Me } from '@tallygate/contract/api/auth';
import { NO_PASSWORD } from '../../identity/password-hash.ts';
import type { Principal } from '../../identity/principal.ts';
import type { LiveSession } from '../../identity/sessions.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { AdminContext } from '../admin-deps.ts';
import type { SessionChange } from '../route.ts';

/** The signed-in person as the dashboard sees them. */
export function meView({ user, row, role, permissions, stage }: LiveSession, owed: Me['owed'] = []): Me {
  return {
    user: {
      id: user.id,
      username: user.username,
      role,
      hasPassword: user.passwordHash !== NO_PASSWORD,
    },
    permissions: stage === 'full' ? [...permissions] : [],
    stage,
    owed,
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

/** The person of a row that only people reach. */
export function personOf(principal: Principal): Extract<Principal, { kind: 'session' }> {
  if (principal.kind !== 'session') throw new AppError('session_required');
  return principal;
}

/** What may be shown as the second step of this session. */
export async function owedBy(
  { secondFactor }: Pick<AdminContext, 'secondFactor'>,
  { stage, user }: LiveSession,
): Promise<Me['owed']> {
  return stage === 'second_factor' ? secondFactor.owed(user.id) : [];
}
