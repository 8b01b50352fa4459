import { createHash, timingSafeEqual } from 'node:crypto';
import type { OauthClient } from '@tallygate/contract/api/oauth';
import { Secret } from '../../kernel/secret.ts';

const RANDOM_BYTES = 32;

/** What only this sign-in knows (RFC 7636). State and verifier are independent: the state is seen by many, the verifier by nobody. */
export interface SignInSecrets {
  verifier: Secret;
  state: Secret;
}

/** The state names its sign-in, so that a browser that comes back by itself needs nothing else to say which it was. */
export function createSignInSecrets(
  randomBytes: (size: number) => Uint8Array,
  signInId: string,
): SignInSecrets {
  const fresh = (): string => Buffer.from(randomBytes(RANDOM_BYTES)).toString('base64url');
  return { verifier: new Secret(fresh()), state: new Secret(`${signInId}.${fresh()}`) };
}

/** The sign-in that a state names; null when it is no state of ours. Whether it is the right one is not said. */
export function signInOfState(state: string): string | null {
  return /^([\w-]{1,64})\.[\w-]{43}$/.exec(state)?.[1] ?? null;
}

/** S256 of RFC 7636 §4.2. */
export function challengeOf(verifier: Secret): string {
  return createHash('sha256').update(verifier.reveal(), 'ascii').digest('base64url');
}

/** The address that the person opens. What the client's own address or parameters already say is kept. */
export function authorizeUrlFor(
  client: OauthClient & { authorizeUrl: string; redirectUri: string },
  { verifier, state }: SignInSecrets,
): string {
  const url = new URL(client.authorizeUrl);
  const parameters = {
    ...client.authorizeParams,
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    ...(client.scopes.length === 0 ? {} : { scope: client.scopes.join(' ') }),
    state: state.reveal(),
    code_challenge: challengeOf(verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** What a person pastes: the code, `code#state`, or the whole address that the provider led to. */
export function readPastedCode(text: string): { code: string; state: string | null } {
  const trimmed = text.trim();
  if (/^https?:\/\//i.test(trimmed) && URL.canParse(trimmed)) {
    const { searchParams } = new URL(trimmed);
    return { code: searchParams.get('code') ?? '', state: searchParams.get('state') };
  }
  const [code = '', state = null] = trimmed.split('#', 2);
  return { code, state };
}

/** Compares in constant time. */
export function sameState(expected: Secret, given: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(expected.reveal()), digest(given));
}
