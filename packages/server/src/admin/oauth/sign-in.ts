import type { OauthClient, oauthSessionCreateRequest } from '@tallygate/contract/api/oauth';
import type { z } from 'zod';
import { GaveUp } from '../../egress/fetch-small.ts';
import { AppError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import { authorizeUrlFor, createSignInSecrets, readPastedCode, sameState } from '../../pool/oauth/pkce.ts';
import { exchangeCode, TokenEndpointError, type TokenGrant } from '../../pool/oauth/token-endpoint.ts';
import type { AccountOauthRow } from '../../store/ports/oauth.ts';
import type { AccountRow } from '../../store/store.ts';
import { assertAccountMayReach, findAccount, newAccount } from '../accounts/routes.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import type { Caller } from '../route.ts';
import { openOauthRow, readClient, toOauthRow } from './oauth-rows.ts';
import { clientSecretOf, resolveClient, type SignInClient } from './sign-in-input.ts';

const SESSION_MS = 10 * 60_000;
/** More sign-ins at once than any team has; beyond it somebody fills the store. */
const MAX_SESSIONS = 100;

type CreateInput = z.output<typeof oauthSessionCreateRequest>;

/** What a sign-in has to remember; sealed, because the verifier is in it. */
interface SessionPayload {
  verifier: string;
  state: string;
  client: SignInClient;
  clientSecret: string | null;
  /** The row to insert; null when an account signs in again. */
  account: AccountRow | null;
  accountId: string | null;
  allowPrivate: boolean;
  /** Who began it and in which workspace: nobody else completes it, and nowhere else. */
  by: string;
}

const contextOf = (id: string) => ({ table: 'oauth_session', row: id, column: 'payload' });

/** Names the caller so that a sign-in cannot be completed by somebody else, or in another workspace. */
function nameOf({ principal, workspaceId }: Caller): string {
  if (principal.kind === 'session') return `user:${principal.session.user.id} ${workspaceId}`;
  return `${principal.kind === 'key' ? `key:${principal.key.id}` : principal.kind} ${workspaceId}`;
}

/** The account a session is about: a new row, checked and not stored yet, or one that is there. */
async function subjectOf(
  deps: AdminDeps,
  { principal, workspaceId }: Caller,
  { account, accountId }: CreateInput,
): Promise<Pick<SessionPayload, 'account' | 'accountId' | 'allowPrivate'>> {
  if ((account === undefined) === (accountId === undefined)) {
    throw invalidInput([
      { in: 'body', path: 'account', message: 'give either account or accountId, and not both' },
    ]);
  }
  if (accountId !== undefined) {
    const row = await findAccount(deps, { id: accountId, workspaceId });
    if ((await deps.store.oauth.findAccountOauth(row.id)) === null) {
      const message = 'is an account with an API key; add another one to sign in with OAuth';
      throw invalidInput([{ in: 'body', path: 'accountId', message }]);
    }
    return { account: null, accountId, allowPrivate: row.allowPrivateUpstream };
  }
  const row = newAccount(deps, workspaceId, account as NonNullable<typeof account>, true);
  assertAccountMayReach(principal, row);
  const taken = (await deps.store.config.listAccounts(workspaceId)).some(({ name }) => name === row.name);
  if (taken) throw new AppError('name_taken', { detail: `An account with the name "${row.name}" exists.` });
  return { account: row, accountId: null, allowPrivate: row.allowPrivateUpstream };
}

/**
 * The way inside that an account has is the way to where it goes, and not to any other place inside: whoever names
 * another token address has to be somebody who may open that one.
 */
function assertSameWayInside(
  principal: Caller['principal'],
  subject: Pick<SessionPayload, 'accountId' | 'allowPrivate'>,
  { before, after }: { before: OauthClient | null; after: OauthClient },
): void {
  if (subject.accountId === null || before?.tokenUrl === after.tokenUrl) return;
  assertAccountMayReach(principal, { allowPrivateUpstream: subject.allowPrivate });
}

/** The client secret of the account that signs in again; it goes to no other client and to no other address. */
function keptSecret(deps: AdminDeps, stored: AccountOauthRow | null, client: OauthClient): Secret | null {
  if (stored === null) return null;
  const before = readClient(stored.client);
  if (before.clientId !== client.clientId || before.tokenUrl !== client.tokenUrl) return null;
  return openOauthRow(stored, deps.vault).clientSecret;
}

/** Begins a sign-in: the answer's address is for the person's browser. */
export async function beginSignIn(deps: AdminDeps, input: CreateInput, caller: Caller) {
  const { clock, store, vault } = deps;
  if (!deps.oauth.defaults.enabled) throw new AppError('oauth_disabled');
  const subject = await subjectOf(deps, caller, input);
  const stored = subject.accountId === null ? null : await store.oauth.findAccountOauth(subject.accountId);
  const before = stored === null ? null : readClient(stored.client);
  const client = resolveClient(input.client, {
    defaults: deps.oauth.defaults,
    before,
    allowPrivate: subject.allowPrivate,
    egressPolicy: deps.egressPolicy,
  });
  assertSameWayInside(caller.principal, subject, { before, after: client });
  const nowMs = clock.now();
  await store.oauth.deleteExpiredOauthSessions(nowMs);
  if ((await store.oauth.countOauthSessions()) >= MAX_SESSIONS) {
    throw new AppError('rate_limited', { retryAfterSeconds: SESSION_MS / 1000 });
  }
  const id = deps.newId();
  const secrets = createSignInSecrets(deps.randomBytes, id);
  const payload: SessionPayload = {
    verifier: secrets.verifier.reveal(),
    state: secrets.state.reveal(),
    client,
    clientSecret: (clientSecretOf(input.client) ?? keptSecret(deps, stored, client))?.reveal() ?? null,
    ...subject,
    by: nameOf(caller),
  };
  const expiresAtMs = nowMs + SESSION_MS;
  const sealedPayload = vault.seal(new Secret(JSON.stringify(payload)), contextOf(id));
  await store.oauth.insertOauthSession({ id, sealedPayload, createdAtMs: nowMs, expiresAtMs });
  return { id, authorizeUrl: authorizeUrlFor(client, secrets), redirectUri: client.redirectUri, expiresAtMs };
}

/** Takes the session: whatever becomes of it, it is used now. */
async function takeSession(
  deps: AdminDeps,
  input: { sessionId: string; code: string; state: string | null },
  caller: Caller,
): Promise<SessionPayload> {
  const row = await deps.store.oauth.takeOauthSession(input.sessionId);
  if (row === null || row.expiresAtMs <= deps.clock.now()) throw new AppError('oauth_session_invalid');
  const payload = JSON.parse(
    deps.vault.open(row.sealedPayload, contextOf(row.id)).reveal(),
  ) as SessionPayload;
  const right = payload.by === nameOf(caller) && sameState(new Secret(payload.state), input.state ?? '');
  if (!right) throw new AppError('oauth_session_invalid');
  return payload;
}

function explain(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const shown = error instanceof TokenEndpointError || error instanceof GaveUp;
  return new AppError('oauth_failed', {
    cause: error,
    ...(shown ? { detail: `${error.message} Begin again.` } : {}),
  });
}

/** Exchanges the code, stores the tokens and the account, and puts them to use. */
export async function completeSignIn(
  deps: AdminDeps,
  input: { sessionId: string; code: string; state?: string | undefined },
  caller: Caller,
): Promise<{ row: AccountRow; created: boolean }> {
  const pasted = readPastedCode(input.code);
  const state = input.state ?? pasted.state;
  if (pasted.code === '' || state === null) {
    throw invalidInput([
      { in: 'body', path: 'code', message: 'is not complete: paste all of it, with what stands behind #' },
    ]);
  }
  const session = await takeSession(deps, { sessionId: input.sessionId, code: pasted.code, state }, caller);
  const { client, allowPrivate } = session;
  const clientSecret = session.clientSecret === null ? null : new Secret(session.clientSecret);
  let grant: TokenGrant;
  try {
    grant = await exchangeCode(
      client,
      { code: pasted.code, state: new Secret(state), verifier: new Secret(session.verifier), clientSecret },
      { egress: deps.oauth.egress, allowPrivate },
    );
  } catch (error) {
    throw explain(error);
  }
  const id = session.accountId ?? '';
  const row = session.account ?? (await findAccount(deps, { id, workspaceId: caller.workspaceId }));
  if (session.account !== null) await deps.store.config.insertAccount(row);
  const nowMs = deps.clock.now();
  const tokens = {
    client,
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    clientSecret,
    obtainedAtMs: nowMs,
    expiresAtMs: grant.lifeMs === null ? null : nowMs + grant.lifeMs,
    reauthReason: null,
  };
  await deps.store.oauth.putAccountOauth(toOauthRow(row.id, tokens, deps.vault));
  deps.accountState(row.id).reset(); // what was said of the old tokens says nothing of the new ones
  await deps.refreshSnapshot();
  return { row, created: session.account !== null };
}
