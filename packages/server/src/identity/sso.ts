import { usernameSchema } from '@tallygate/contract/api/auth';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { IdSource } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import type { SsoIdentityRow } from '../store/ports/sso.ts';
import type { Store, UserRow } from '../store/store.ts';
import type { AccessRules } from './access.ts';
import type { OidcClaims, OidcClient, OidcSecrets } from './oidc-client.ts';
import { NO_PASSWORD } from './password-hash.ts';
import { claimAt, followGroups, placesFor, type RoleMove, rolesText } from './sso-roles.ts';
import { type RandomBytes, randomToken, sha256Hex } from './token.ts';

/** What a group of the provider gives. */
export interface SsoGrant {
  group: string;
  role: string;
  /** Slug; the first workspace when left out. */
  workspace?: string;
}

/** Who gets in through the provider, and as what. */
export interface SsoRules {
  /** What people know the provider as. */
  name: string;
  /** Claim that names the user. */
  userClaim: string;
  /** Claim that lists groups or roles; dots lead into objects. */
  roleClaim: string;
  /** In each workspace the first group that somebody has decides. */
  roleMap: readonly SsoGrant[];
  /** Role, in the first workspace, of somebody in none of the groups; null lets them not in. */
  defaultRole: string | null;
  /** The provider asks for the second factor, so that ours is not asked for after it. */
  settlesSecondFactor: boolean;
  /** Where the provider sends browsers back to; null is where they came from. */
  redirectUrl: string | null;
}

/** One sign-in on its way through the provider, as its browser keeps it: sealed. */
export interface SsoFlow extends OidcSecrets {
  redirectUri: string;
  returnPath: string;
  /** Who connects their provider; null where somebody signs in. */
  userId: string | null;
  expiresAtMs: number;
}

/** Opens and closes what the browser keeps. */
export interface FlowBox {
  seal(secret: Secret): string;
  /** @throws Error when it is none of ours */
  open(sealed: string): Secret;
}

export interface SsoParts {
  store: Pick<Store, 'identity' | 'sso' | 'people' | 'config'>;
  access: AccessRules;
  clock: Clock;
  newId: IdSource;
  randomBytes: RandomBytes;
  box: FlowBox;
  client: OidcClient;
  rules: SsoRules;
  /** Where groups give roles unless they say where. */
  firstWorkspaceId: string;
}

/** What a return from the provider came to. */
export type SsoEntry =
  | { user: UserRow; what: 'known'; moved: RoleMove | null }
  /** For the first time. */
  | { user: UserRow; what: 'made'; role: string }
  /** To somebody who was there. */
  | { user: UserRow; what: 'connected' };

export interface SingleSignOn {
  readonly rules: SsoRules;
  readonly client: Pick<OidcClient, 'about' | 'probe'>;
  /** Where the browser goes, and what it keeps until it is back. @throws AppError `sso_unavailable` */
  begin(flow: Pick<SsoFlow, 'redirectUri' | 'returnPath' | 'userId'>): Promise<{ url: string; kept: Secret }>;
  /** What the browser kept. @throws AppError `sso_failed` when it is none of ours, or too old */
  open(kept: string | null): SsoFlow;
  /**
   * Who came back. Users that the provider brought follow its groups with every sign-in.
   * @throws AppError `sso_failed`, `sso_not_allowed`, `sso_name_taken`, `sso_connected`
   */
  finish(flow: SsoFlow, query: URLSearchParams): Promise<SsoEntry>;
}

/** Long enough for a password and a second factor at the provider. */
const FLOW_MS = 10 * 60_000;

export function createSingleSignOn(parts: SsoParts): SingleSignOn {
  const { client, clock, rules } = parts;
  return {
    rules,
    client,
    async begin(flow) {
      const secrets: OidcSecrets = {
        state: randomToken(parts.randomBytes),
        nonce: randomToken(parts.randomBytes),
        verifier: randomToken(parts.randomBytes),
      };
      const url = await client.authorizationUrl(flow.redirectUri, secrets);
      const whole: SsoFlow = { ...flow, ...secrets, expiresAtMs: clock.now() + FLOW_MS };
      return { url, kept: new Secret(parts.box.seal(new Secret(JSON.stringify(whole)))) };
    },
    open: (kept) => openFlow(parts, kept),
    async finish(flow, query) {
      const returned = new URL(flow.redirectUri);
      returned.search = query.toString();
      const claims = await client.claims(returned, flow);
      if (flow.userId === null) return enter(parts, claims);
      return { user: await connect(parts, flow.userId, claims), what: 'connected' };
    },
  };
}

function openFlow({ box, clock }: SsoParts, kept: string | null): SsoFlow {
  if (kept === null) throw new AppError('sso_failed', { cause: new Error('the browser kept nothing of it') });
  let flow: SsoFlow;
  try {
    flow = JSON.parse(box.open(kept).reveal()) as SsoFlow;
  } catch (cause) {
    throw new AppError('sso_failed', { cause });
  }
  if (flow.expiresAtMs > clock.now()) return flow;
  throw new AppError('sso_failed', { cause: new Error('it took longer than ten minutes') });
}

/** The pair is what identifies somebody (OpenID Connect Core §5.7); names and addresses change hands. */
const identityId = ({ iss, sub }: OidcClaims): string => sha256Hex(JSON.stringify([iss, sub]));

/** @throws AppError `sso_failed` when the provider names the user in no way that fits here */
function usernameOf({ rules }: SsoParts, claims: OidcClaims): string {
  for (const name of [rules.userClaim, 'email']) {
    const parsed = usernameSchema.safeParse(claimAt(claims, name));
    if (parsed.success) return parsed.data;
  }
  throw new AppError('sso_failed', {
    cause: new Error(`neither "${rules.userClaim}" nor "email" holds a user name`),
  });
}

async function enter(parts: SsoParts, claims: OidcClaims): Promise<SsoEntry> {
  if ((await parts.store.identity.countUsers()) === 0) throw new AppError('setup_required');
  const known = await parts.store.sso.findSsoIdentity(identityId(claims));
  if (known === null) return makeUser(parts, claims);
  const user = await parts.store.identity.findUser(known.userId);
  if (user === null || user.disabledAtMs !== null) throw new AppError('sso_not_allowed');
  await parts.store.sso.useSsoIdentity(known.id, parts.clock.now());
  const moved = known.managed ? await followGroups(parts, user.id, claims) : null;
  return { user, what: 'known', moved };
}

function newIdentity(
  parts: SsoParts,
  claims: OidcClaims,
  of: { userId: string; managed: boolean },
): SsoIdentityRow {
  const nowMs = parts.clock.now();
  const { iss: issuer, sub: subject } = claims;
  return { id: identityId(claims), ...of, issuer, subject, createdAtMs: nowMs, lastUsedAtMs: nowMs };
}

async function makeUser(parts: SsoParts, claims: OidcClaims): Promise<SsoEntry> {
  const { store } = parts;
  const user: UserRow = {
    id: parts.newId(),
    username: usernameOf(parts, claims),
    passwordHash: NO_PASSWORD,
    createdAtMs: parts.clock.now(),
    disabledAtMs: null,
  };
  const places = await placesFor(parts, claims);
  const identity = newIdentity(parts, claims, { userId: user.id, managed: true });
  // Somebody who is there is never taken over because a provider uses the same name.
  if (await store.sso.insertSsoUser(user, places, identity)) {
    return { user, what: 'made', role: rolesText(places, parts.firstWorkspaceId) };
  }
  const twin = await store.sso.findSsoIdentity(identity.id); // two first sign-ins at once
  const made = twin === null ? null : await store.identity.findUser(twin.userId);
  if (made === null) throw new AppError('sso_name_taken');
  return { user: made, what: 'known', moved: null };
}

async function connect(parts: SsoParts, userId: string, claims: OidcClaims): Promise<UserRow> {
  const user = await parts.store.identity.findUser(userId);
  if (user === null || user.disabledAtMs !== null) throw new AppError('sso_not_allowed');
  const identity = newIdentity(parts, claims, { userId, managed: false });
  if (await parts.store.sso.insertSsoIdentity(identity)) return user;
  throw new AppError('sso_connected');
}
