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
import { type RandomBytes, randomToken, sha256Hex } from './token.ts';

/** Who gets in through the provider, and as what. */
export interface SsoRules {
  /** What people know the provider as. */
  name: string;
  /** Claim that names the user. */
  userClaim: string;
  /** Claim that lists groups or roles; dots lead into objects. */
  roleClaim: string;
  /** The first group somebody has decides. */
  roleMap: readonly { group: string; role: string }[];
  /** Role of somebody in none of the groups; null lets them not in. */
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
  store: Pick<Store, 'identity' | 'sso' | 'people'>;
  access: AccessRules;
  clock: Clock;
  newId: IdSource;
  randomBytes: RandomBytes;
  box: FlowBox;
  client: OidcClient;
  rules: SsoRules;
  /** Where groups give roles. */
  firstWorkspaceId: string;
}

/** What a return from the provider came to. */
export type SsoEntry =
  | { user: UserRow; what: 'known' }
  /** For the first time. */
  | { user: UserRow; what: 'made'; role: string }
  /** To somebody who was there. */
  | { user: UserRow; what: 'connected' };

export interface SingleSignOn {
  readonly rules: SsoRules;
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

/** The value at a claim's name, or along its dots. */
function claimAt(claims: OidcClaims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** @throws AppError `sso_not_allowed` */
async function roleFor(parts: SsoParts, claims: OidcClaims): Promise<string> {
  const { rules, access, firstWorkspaceId } = parts;
  const claimed = claimAt(claims, rules.roleClaim);
  const groups = new Set(Array.isArray(claimed) ? claimed : [claimed]);
  const role = rules.roleMap.find(({ group }) => groups.has(group))?.role ?? rules.defaultRole;
  if (role === null) throw new AppError('sso_not_allowed');
  if ((await access.permissionsOfRole(role, firstWorkspaceId)) !== null) return role;
  throw new AppError('sso_not_allowed', { cause: new Error(`there is no role "${role}"`) });
}

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
  if (known.managed) await followGroups(parts, user, claims);
  return { user, what: 'known' };
}

/** The provider says what somebody may do in the first workspace; its last owner stays one all the same. */
async function followGroups(parts: SsoParts, { id: userId }: UserRow, claims: OidcClaims): Promise<void> {
  const { store, firstWorkspaceId: workspaceId } = parts;
  const role = await roleFor(parts, claims);
  const memberships = await store.people.listMemberships(userId);
  const here = memberships.find((membership) => membership.workspaceId === workspaceId);
  if (here === undefined || here.role === role) return;
  await store.people.updateMember({ userId, workspaceId }, { role });
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
  const { store, firstWorkspaceId: workspaceId } = parts;
  const user: UserRow = {
    id: parts.newId(),
    username: usernameOf(parts, claims),
    passwordHash: NO_PASSWORD,
    createdAtMs: parts.clock.now(),
    disabledAtMs: null,
  };
  const role = await roleFor(parts, claims);
  const identity = newIdentity(parts, claims, { userId: user.id, managed: true });
  // Somebody who is there is never taken over because a provider uses the same name.
  if (await store.sso.insertSsoUser(user, { workspaceId, role }, identity)) {
    return { user, what: 'made', role };
  }
  const twin = await store.sso.findSsoIdentity(identity.id); // two first sign-ins at once
  const made = twin === null ? null : await store.identity.findUser(twin.userId);
  if (made === null) throw new AppError('sso_name_taken');
  return { user: made, what: 'known' };
}

async function connect(parts: SsoParts, userId: string, claims: OidcClaims): Promise<UserRow> {
  const user = await parts.store.identity.findUser(userId);
  if (user === null || user.disabledAtMs !== null) throw new AppError('sso_not_allowed');
  const identity = newIdentity(parts, claims, { userId, managed: false });
  if (await parts.store.sso.insertSsoIdentity(identity)) return user;
  throw new AppError('sso_connected');
}
