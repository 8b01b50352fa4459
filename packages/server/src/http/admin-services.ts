import type { AdminDeps, AdminServices } from '../admin/admin-deps.ts';
import { type AccessRules, createAccessRules } from '../identity/access.ts';
import { createLoginThrottle } from '../identity/login-throttle.ts';
import type { OidcClient } from '../identity/oidc-client.ts';
import { createPasskeys } from '../identity/passkeys.ts';
import { createPasswordHasher } from '../identity/password-hash.ts';
import { createSecondFactor } from '../identity/second-factor.ts';
import { createSessions, type SessionLimits } from '../identity/sessions.ts';
import { createSingleSignOn, type SingleSignOn, type SsoRules } from '../identity/sso.ts';
import type { Secret } from '../kernel/secret.ts';

/** Where browsers keep it; nothing else that is sealed opens there. */
const FLOW_PLACE = { table: 'browser', row: 'sso', column: 'flow' };

const challengePlace = (purpose: string) => ({ table: 'browser', row: purpose, column: 'challenge' });

export interface ServiceOptions {
  sessionLimits: SessionLimits;
  /** Keys the stored hashes of sessions; null keeps plain ones (TW-02). */
  sessionSecret: Secret | null;
  /** The identity provider; null when there is none. */
  ssoProvider: { client: OidcClient; rules: SsoRules } | null;
}

function createSso(deps: AdminDeps & ServiceOptions, access: AccessRules): SingleSignOn | null {
  if (deps.ssoProvider === null) return null;
  const { vault } = deps;
  return createSingleSignOn({
    ...deps,
    ...deps.ssoProvider,
    access,
    box: {
      seal: (secret) => vault.seal(secret, FLOW_PLACE),
      open: (sealed) => vault.open(sealed, FLOW_PLACE),
    },
  });
}

/** What the admin side shares among its own resources, made once for an app. */
export function createAdminServices(
  deps: AdminDeps & ServiceOptions,
  endStreamsOf: AdminServices['endStreamsOf'],
): AdminServices {
  const { store, clock, randomBytes, vault } = deps;
  const access = createAccessRules(store, deps.firstWorkspaceId);
  const placeOf = (userId: string) => ({ table: 'user_totp', row: userId, column: 'secret' });
  return {
    access,
    hasher: createPasswordHasher(),
    throttle: createLoginThrottle(clock),
    sessions: createSessions({
      store: store.identity,
      access,
      clock,
      randomBytes,
      limits: deps.sessionLimits,
      secret: deps.sessionSecret,
      ssoSettlesSecondFactor: deps.ssoProvider?.rules.settlesSecondFactor ?? false,
    }),
    secondFactor: createSecondFactor({
      store,
      clock,
      randomBytes,
      box: {
        seal: (secret, userId) => vault.seal(secret, placeOf(userId)),
        open: (sealed, userId) => vault.open(sealed, placeOf(userId)),
      },
    }),
    passkeys: createPasskeys({
      store,
      clock,
      randomBytes,
      box: {
        seal: (secret, purpose) => vault.seal(secret, challengePlace(purpose)),
        open: (sealed, purpose) => vault.open(sealed, challengePlace(purpose)),
      },
    }),
    sso: createSso(deps, access),
    endStreamsOf,
  };
}
