import type { OauthClient, oauthSessionCreateRequest } from '@tallygate/contract/api/oauth';
import type { z } from 'zod';
import { destinationOf, type EgressPolicy } from '../../egress/egress-policy.ts';
import { Secret } from '../../kernel/secret.ts';
import { invalidInput } from '../parse-input.ts';

type ClientInput = z.output<typeof oauthSessionCreateRequest>['client'];

/** A client that a person can sign in with. */
export type SignInClient = OauthClient & { authorizeUrl: string; redirectUri: string };

/** What the settings say about OAuth. */
export interface OauthDefaults {
  enabled: boolean;
  clientId: string | null;
  authorizeUrl: string | null;
  tokenUrl: string | null;
  redirectUri: string | null;
  scopes: readonly string[];
  tokenFormat: OauthClient['tokenFormat'];
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

function problem(field: string, message: string): never {
  throw invalidInput([{ in: 'body', path: `client.${field}`, message }]);
}

/** Given with the call, in the account that signs in again, or in the settings: in that order. */
function chosen(field: string, ...values: (string | null | undefined)[]): string {
  const value = values.find((candidate) => candidate !== undefined && candidate !== null);
  return value ?? problem(field, 'is needed: give it here, or set it for all accounts in the settings');
}

/** The token endpoint gets the codes and refresh tokens: the rules are those of an upstream (TW-17). */
function checkedTokenUrl(text: string, allowPrivate: boolean, policy: EgressPolicy): string {
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    problem('tokenUrl', 'must not carry a user name or password');
  if (url.hash !== '') problem('tokenUrl', 'must not have a fragment');
  const to = destinationOf(url, allowPrivate);
  if (!policy.permitsHost(to)) {
    problem(
      'tokenUrl',
      'points to this machine or a private network, which needs allowPrivateUpstream: true or a line in EGRESS_ALLOW_HOSTS',
    );
  }
  if (url.protocol === 'http:' && !policy.mayBePrivate(to)) {
    problem('tokenUrl', 'must be https; plain http would send the tokens readable');
  }
  return url.href;
}

/** A browser opens it: plain http only on this machine. */
function checkedBrowserUrl(field: string, text: string): string {
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') problem(field, 'must not carry a user name or password');
  if (url.protocol === 'http:' && !LOOPBACK.has(url.hostname))
    problem(field, 'must be https, but for an address of this machine');
  if (field === 'redirectUri' && url.hash !== '') problem(field, 'must not have a fragment');
  return url.href;
}

/** Once a path is given as it was registered, it is compared character by character: `URL` may add a slash. */
function asRegistered(text: string, checked: string): string {
  return checked === `${text}/` ? text : checked;
}

/**
 * Puts the client together and checks where it may point.
 * @throws AppError `invalid_request` naming the field
 */
export function resolveClient(
  input: ClientInput,
  from: {
    defaults: OauthDefaults;
    before: OauthClient | null;
    allowPrivate: boolean;
    egressPolicy: EgressPolicy;
  },
): SignInClient {
  const { defaults, before, allowPrivate, egressPolicy } = from;
  const pick = (field: 'authorizeUrl' | 'tokenUrl' | 'clientId' | 'redirectUri'): string =>
    chosen(field, input?.[field], before?.[field], defaults[field]);
  const redirectUri = pick('redirectUri');
  return {
    authorizeUrl: checkedBrowserUrl('authorizeUrl', pick('authorizeUrl')),
    tokenUrl: checkedTokenUrl(pick('tokenUrl'), allowPrivate, egressPolicy),
    clientId: pick('clientId'),
    redirectUri: asRegistered(redirectUri, checkedBrowserUrl('redirectUri', redirectUri)),
    scopes: [...(input?.scopes ?? before?.scopes ?? defaults.scopes)],
    tokenFormat: input?.tokenFormat ?? before?.tokenFormat ?? defaults.tokenFormat,
    authorizeParams: input?.authorizeParams ?? before?.authorizeParams ?? {},
  };
}

export function clientSecretOf(input: ClientInput): Secret | null {
  return input?.clientSecret === undefined ? null : new Secret(input.clientSecret);
}
