import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';

export interface ProviderPerson {
  sub: string;
  preferred_username?: string;
  email?: string;
  groups?: string[];
  realm_access?: { roles: string[] };
}

/** A real OpenID Connect provider on a port of its own, whose sign-in page says at once who somebody is. */
export interface IdentityProvider {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Who signs in next; null cancels. */
  person: ProviderPerson | null;
  /** Lets browsers return here and nowhere else; null takes the provider down. */
  allowReturn(redirectUri: string | null): void;
  /** Requests it got, as method and path. */
  requests: string[];
  close(): Promise<void>;
}

/** The provider warns of its own memory where it is not chosen on purpose. */
class Adapter extends MemoryAdapter {}

const CLIENT_ID = 'tallygate';
const CLIENT_SECRET = 'a client secret of the identity provider';
const SCOPES = ['openid', 'profile', 'email', 'groups'];

interface GrantContext {
  oidc: {
    client: { clientId: string };
    session: { accountId: string };
    provider: {
      Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
    };
  };
}

function createProvider(it: IdentityProvider, redirectUri: string): Provider {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'test' };
  const known = new Map<string, ProviderPerson>();
  return new Provider(it.issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    adapter: Adapter,
    jwks: { keys: [key] },
    cookies: { keys: ['cookies of the provider in tests'] },
    scopes: SCOPES,
    claims: {
      openid: ['sub'],
      profile: ['preferred_username'],
      email: ['email'],
      groups: ['groups', 'realm_access'],
    },
    ttl: {
      Interaction: 600,
      Grant: 600,
      Session: 600,
      AccessToken: 600,
      IdToken: 600,
      AuthorizationCode: 60,
    },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    async findAccount(_context: unknown, id: string) {
      if (it.person?.sub === id) known.set(id, it.person);
      const claims = { ...known.get(id), sub: id };
      return { accountId: id, claims: async () => claims };
    },
    async loadExistingGrant({ oidc }: GrantContext) {
      const { clientId } = oidc.client;
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope(SCOPES.join(' '));
      await grant.save();
      return grant;
    },
  });
}

/** Starts the provider; it is ready once `allowReturn` was called. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  let provider: Provider | null = null;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    it.requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (provider === null) return void response.writeHead(503).end();
    if (request.url?.startsWith('/interaction/') !== true) return provider.callback()(request, response);
    const result =
      it.person === null
        ? { error: 'access_denied', error_description: 'the person said no' }
        : { login: { accountId: it.person.sub, remember: false } };
    await provider.interactionFinished(request, response, result);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const it: IdentityProvider = {
    issuer: `http://localhost:${(server.address() as AddressInfo).port}`,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    person: null,
    requests: [],
    allowReturn(redirectUri) {
      provider = redirectUri === null ? null : createProvider(it, redirectUri);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return it;
}

/** A browser as far as sign-ins need one: follows redirects, and keeps cookies by origin. */
export class CookieBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();

  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name);
  }

  forget(origin: string): void {
    this.#cookies.delete(origin);
  }

  set(origin: string, name: string, value: string): void {
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar.set(name, value));
  }

  header(origin: string): string {
    return [...(this.#cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const headers = { ...(init.headers as Record<string, string>), cookie: this.header(origin) };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.get(origin)?.delete(name);
      else this.set(origin, name, value);
    }
    return response;
  }

  /** Follows redirects up to an address that is the one looked for, which is not fetched. */
  async follow(url: string, until: (url: URL) => boolean): Promise<URL> {
    let next = new URL(url);
    for (let hops = 0; hops < 15; hops++) {
      if (until(next)) return next;
      const response = await this.fetch(next.href);
      const location = response.headers.get('location');
      if (location === null)
        throw new Error(`no redirect from ${next.href}: ${response.status} ${await response.text()}`);
      next = new URL(location, next);
    }
    throw new Error('redirected too often');
  }
}
