import type { OauthClient } from '@tallygate/contract/api/oauth';
import type { Egress } from '../../egress/egress.ts';
import { fetchSmall, jsonOf, type SmallAnswer } from '../../egress/fetch-small.ts';
import { Secret } from '../../kernel/secret.ts';

/** For one call, connecting included. A lease on a refresh has to outlast it. */
export const TOKEN_CALL_MS = 15_000;
const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_TOKEN_CHARS = 16_384;
/** A provider that names a longer life is taken to mean this. */
const MAX_LIFE_SECONDS = 10 * 365 * 86_400;

/** Tokens as the endpoint gave them. */
export interface TokenGrant {
  accessToken: Secret;
  /** Null when none came: the one before stays good (RFC 6749 §6). */
  refreshToken: Secret | null;
  lifeMs: number | null;
}

/** The endpoint said no, or nothing that can be understood. The message is shown and carries no secret. */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError';
  /** The provider's error code; null when it gave none. */
  readonly code: string | null;
  /** True when asking again cannot help: the grant or the client is not taken (RFC 6749 §5.2). */
  readonly definitive: boolean;

  constructor(message: string, code: string | null, definitive: boolean) {
    super(message);
    this.code = code;
    this.definitive = definitive;
  }
}

export interface TokenCallDeps {
  egress: Egress;
  /** May the endpoint be on this machine or a private network? */
  allowPrivate: boolean;
}

const DEFINITIVE = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client', 'invalid_scope']);

function encode(
  client: Pick<OauthClient, 'tokenFormat'>,
  fields: Record<string, string>,
): { type: string; body: string } {
  return client.tokenFormat === 'json'
    ? { type: 'application/json', body: JSON.stringify(fields) }
    : { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(fields).toString() };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The error's code, wherever the provider puts it; only what looks like a code, so that nothing else is shown. */
function errorCodeOf(json: unknown): string | null {
  if (typeof json !== 'object' || json === null) return null;
  const { error, code } = json as { error?: unknown; code?: unknown };
  const nested =
    typeof error === 'object' && error !== null ? (error as { type?: unknown; code?: unknown }) : {};
  const found = textOf(error) ?? textOf(nested.type) ?? textOf(nested.code) ?? textOf(code);
  return found !== null && /^[a-z][a-z0-9_]{0,63}$/.test(found) ? found : null;
}

function tokenIn(value: unknown): Secret | null {
  const text = textOf(value);
  return text !== null && text.length <= MAX_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(text)
    ? new Secret(text)
    : null;
}

function readGrant(answer: SmallAnswer): TokenGrant {
  const json = jsonOf(answer);
  if (answer.status < 200 || answer.status > 299) {
    const code = errorCodeOf(json);
    const definitive = answer.status >= 400 && answer.status < 500 && code !== null && DEFINITIVE.has(code);
    const named = code === null ? '' : ` (${code})`;
    throw new TokenEndpointError(
      `The token endpoint answered HTTP ${answer.status}${named}.`,
      code,
      definitive,
    );
  }
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const accessToken = tokenIn(fields.access_token);
  if (accessToken === null)
    throw new TokenEndpointError('The token endpoint gave no access token.', null, false);
  const life = Number(fields.expires_in);
  return {
    accessToken,
    refreshToken: tokenIn(fields.refresh_token),
    lifeMs: life > 0 ? Math.min(life, MAX_LIFE_SECONDS) * 1000 : null,
  };
}

async function askForTokens(
  client: OauthClient,
  fields: Record<string, string>,
  { egress, allowPrivate }: TokenCallDeps,
): Promise<TokenGrant> {
  const url = new URL(client.tokenUrl);
  const { type, body } = encode(client, fields);
  const answer = await fetchSmall(egress.connections({ origin: url.origin, allowPrivate }), {
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    headers: ['content-type', type, 'accept', 'application/json'],
    body,
    deadlineMs: TOKEN_CALL_MS,
    maxBytes: MAX_ANSWER_BYTES,
  });
  return readGrant(answer);
}

function clientFields(client: OauthClient, clientSecret: Secret | null): Record<string, string> {
  return {
    client_id: client.clientId,
    ...(clientSecret === null ? {} : { client_secret: clientSecret.reveal() }),
  };
}

/**
 * Exchanges the code of a sign-in for tokens.
 * @throws TokenEndpointError, GaveUp, AppError or the connection's error
 */
export function exchangeCode(
  client: OauthClient & { redirectUri: string },
  signIn: { code: string; state: Secret; verifier: Secret; clientSecret: Secret | null },
  deps: TokenCallDeps,
): Promise<TokenGrant> {
  const fields = {
    grant_type: 'authorization_code',
    code: signIn.code,
    redirect_uri: client.redirectUri,
    code_verifier: signIn.verifier.reveal(),
    ...clientFields(client, signIn.clientSecret),
    // Endpoints that take JSON are known to want it; to the others it is an unknown field (RFC 6749 §3.2).
    ...(client.tokenFormat === 'json' ? { state: signIn.state.reveal() } : {}),
  };
  return askForTokens(client, fields, deps);
}

/**
 * Exchanges a refresh token for new tokens. It may be worthless afterwards, whether or not the answer arrives.
 * @throws TokenEndpointError, GaveUp, AppError or the connection's error
 */
export function refreshTokens(
  client: OauthClient,
  secrets: { refreshToken: Secret; clientSecret: Secret | null },
  deps: TokenCallDeps,
): Promise<TokenGrant> {
  const fields = {
    grant_type: 'refresh_token',
    refresh_token: secrets.refreshToken.reveal(),
    ...clientFields(client, secrets.clientSecret),
  };
  return askForTokens(client, fields, deps);
}
