import type { Dispatcher } from 'undici';
import type { Egress } from '../egress/egress.ts';
import type { OidcFetch } from '../identity/oidc-client.ts';

/** Discovery documents, keys and tokens are far below this. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;

async function boundedBody(body: Dispatcher.ResponseData['body']): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWER_BYTES) {
      body.destroy();
      throw new Error('the answer of the identity provider is too large');
    }
    chunks.push(chunk as Buffer);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function responseHeaders(headers: Dispatcher.ResponseData['headers']): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) result.append(name, String(one));
    }
  }
  return result;
}

/** What the library sends: nothing, text, or a form. */
function bodyText(body: Parameters<OidcFetch>[1]['body']): string | null {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a body of this kind is not sent to identity providers');
}

/**
 * The way to the identity provider: through the egress guard, without redirects, bounded in size and time.
 * @param privateOrigin the issuer's own origin, which the operator chose and which may be private; where its
 * documents point beyond it, only public addresses and those the policy lists are connected to
 */
export function createGuardedFetch(egress: Egress, privateOrigin: string): OidcFetch {
  return async (address, { method, headers, body, signal }) => {
    const url = new URL(address);
    const dispatcher = egress.connections({
      origin: url.origin,
      allowPrivate: url.origin === privateOrigin,
    });
    const answer = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: bodyText(body),
      signal: signal ?? null,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const bytes = await boundedBody(answer.body);
    const { statusCode: status } = answer;
    const bare = status === 204 || status === 304;
    return new Response(bare ? null : bytes, { status, headers: responseHeaders(answer.headers) });
  };
}
