import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call to the token endpoint, as it came. */
export interface TokenCall {
  contentType: string;
  fields: Record<string, string>;
  status: number;
}

/** An OAuth provider on a real socket: codes work once, verifiers are checked, refresh tokens rotate and die with use. */
export interface FakeOauth {
  readonly url: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly calls: readonly TokenCall[];
  /** Refresh calls that were answered with tokens. */
  refreshes(): number;
  /** What a person's browser would do with the address: agree. @returns where the provider sends the browser */
  agree(authorizeUrl: string): Promise<URL>;
  /** Life of the tokens it gives from now on; null gives no `expires_in`. */
  lifeSeconds: number | null;
  /** Answers of the token endpoint wait this long. */
  delayMs: number;
  /** False keeps the refresh token as it is and leaves it out of the answer. */
  rotates: boolean;
  /** Answers the next token calls instead, one each. */
  failNext(...answers: { status: number; body: string }[]): void;
  /** True when the access token is one that this provider gave and that has not been taken back. */
  accepts(accessToken: string): boolean;
  /** The access token is worthless from now on. */
  revoke(accessToken: string): void;
  /** Every token it ever gave, access and refresh. */
  given(): string[];
  /** A pair of tokens as if somebody had signed in long ago. */
  issue(): { accessToken: string; refreshToken: string };
  stop(): Promise<void>;
}

interface Grant {
  challenge: string;
  redirectUri: string;
  clientId: string;
}

const MAX_BODY_BYTES = 64 * 1024;
const fresh = (prefix: string): string => `${prefix}-${randomBytes(24).toString('base64url')}`;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new Error('too long');
  }
  return text;
}

class Provider {
  readonly calls: TokenCall[] = [];
  readonly codes = new Map<string, Grant>();
  readonly accessTokens = new Set<string>();
  readonly refreshTokens = new Set<string>();
  readonly queued: { status: number; body: string }[] = [];
  lifeSeconds: number | null = 3600;
  delayMs = 0;
  rotates = true;

  issue(): { accessToken: string; refreshToken: string } {
    const [accessToken, refreshToken] = [fresh('access'), fresh('refresh')];
    this.accessTokens.add(accessToken);
    this.refreshTokens.add(refreshToken);
    return { accessToken, refreshToken };
  }

  /** Gives the code to the redirect address, as soon as the request is one that RFC 6749 and RFC 7636 allow. */
  authorize(url: URL, response: ServerResponse): void {
    const value = (name: string): string => url.searchParams.get(name) ?? '';
    const right =
      value('response_type') === 'code' && value('code_challenge_method') === 'S256' && value('state') !== '';
    if (!right) return void response.writeHead(400).end();
    const code = fresh('code');
    const redirectUri = value('redirect_uri');
    this.codes.set(code, { challenge: value('code_challenge'), redirectUri, clientId: value('client_id') });
    const to = new URL(redirectUri);
    to.searchParams.set('code', code);
    to.searchParams.set('state', value('state'));
    response.writeHead(302, { location: to.href }).end();
  }

  #exchange(fields: Record<string, string>): boolean {
    const grant = this.codes.get(fields.code ?? '');
    this.codes.delete(fields.code ?? '');
    const challenge = createHash('sha256')
      .update(fields.code_verifier ?? '')
      .digest('base64url');
    return (
      grant !== undefined &&
      grant.challenge === challenge &&
      grant.redirectUri === fields.redirect_uri &&
      grant.clientId === fields.client_id
    );
  }

  #refresh(fields: Record<string, string>): boolean {
    const token = fields.refresh_token ?? '';
    return this.rotates ? this.refreshTokens.delete(token) : this.refreshTokens.has(token);
  }

  answer(fields: Record<string, string>): { status: number; body: string } {
    const queued = this.queued.shift();
    if (queued !== undefined) return queued;
    const refreshing = fields.grant_type === 'refresh_token';
    const granted = refreshing ? this.#refresh(fields) : this.#exchange(fields);
    if (!granted) return { status: 400, body: JSON.stringify({ error: 'invalid_grant' }) };
    const { accessToken, refreshToken } = this.issue();
    const tokens = {
      token_type: 'Bearer',
      access_token: accessToken,
      ...(refreshing && !this.rotates ? {} : { refresh_token: refreshToken }),
      ...(this.lifeSeconds === null ? {} : { expires_in: this.lifeSeconds }),
    };
    return { status: 200, body: JSON.stringify(tokens) };
  }

  async token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const contentType = request.headers['content-type'] ?? '';
    const text = await bodyOf(request);
    const fields =
      contentType === 'application/json'
        ? (JSON.parse(text) as Record<string, string>)
        : Object.fromEntries(new URLSearchParams(text));
    // Decided on arrival: of two that race with one refresh token the first wins, however long the answers take.
    const answer = this.answer(fields);
    this.calls.push({ contentType, fields, status: answer.status });
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  }
}

/** Starts an OAuth provider on 127.0.0.1 and a free port. */
export async function startFakeOauth(): Promise<FakeOauth> {
  const provider = new Provider();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://provider');
    if (url.pathname === '/oauth/authorize') return provider.authorize(url, response);
    if (url.pathname === '/oauth/token' && request.method === 'POST') {
      provider.token(request, response).catch(() => response.destroy());
      return;
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    authorizeUrl: `${url}/oauth/authorize`,
    tokenUrl: `${url}/oauth/token`,
    calls: provider.calls,
    given: () => [...provider.accessTokens, ...provider.refreshTokens],
    refreshes: () =>
      provider.calls.filter((call) => call.fields.grant_type === 'refresh_token' && call.status === 200)
        .length,
    async agree(authorizeUrl) {
      const answer = await fetch(authorizeUrl, { redirect: 'manual' });
      const location = answer.headers.get('location');
      if (location === null) throw new Error(`the provider answered ${answer.status}`);
      return new URL(location);
    },
    get lifeSeconds() {
      return provider.lifeSeconds;
    },
    set lifeSeconds(seconds) {
      provider.lifeSeconds = seconds;
    },
    get delayMs() {
      return provider.delayMs;
    },
    set delayMs(ms) {
      provider.delayMs = ms;
    },
    get rotates() {
      return provider.rotates;
    },
    set rotates(rotates) {
      provider.rotates = rotates;
    },
    failNext: (...answers) => void provider.queued.push(...answers),
    accepts: (accessToken) => provider.accessTokens.has(accessToken),
    revoke: (accessToken) => void provider.accessTokens.delete(accessToken),
    issue: () => provider.issue(),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
