import { createHash, createHmac } from 'node:crypto';
import type { Secret } from '../../kernel/secret.ts';
import type { RequestSigner } from '../provider.ts';

/** Keys of an AWS identity. */
export interface AwsKeys {
  accessKeyId: string;
  secretAccessKey: Secret;
  /** Of temporary keys; null for lasting ones. */
  sessionToken: Secret | null;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** RFC 3986, and nothing else left as it is. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The path, each of its segments encoded once more: every service but S3 has it so. */
const canonicalPath = (path: string): string => path.split('/').map(encoded).join('/') || '/';

function canonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)].map(
    ([name, value]) => [encoded(name), encoded(value)] as const,
  );
  const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
  return pairs
    .sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** `20261126T120000Z`. */
function instantOf(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

export interface SignedParts {
  /** In the form that the signature is made over: the tests compare it with what AWS publishes. */
  canonicalRequest: string;
  stringToSign: string;
  authorization: string;
}

/** Signature Version 4 over these headers, which have to be all that the request sends of their names. */
export function signV4(
  request: {
    method: string;
    path: string;
    headers: readonly (readonly [string, string])[];
    payloadHash: string;
  },
  keys: AwsKeys,
  scope: { region: string; service: string; instant: string },
): SignedParts {
  const at = request.path.indexOf('?');
  const [path, query] =
    at === -1 ? [request.path, ''] : [request.path.slice(0, at), request.path.slice(at + 1)];
  const headers = request.headers
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const signedHeaders = headers.map(([name]) => name).join(';');
  const canonicalRequest = [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signedHeaders,
    request.payloadHash,
  ].join('\n');
  const day = scope.instant.slice(0, 8);
  const credentialScope = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const stringToSign = [ALGORITHM, scope.instant, credentialScope, sha256(canonicalRequest)].join('\n');
  const parts = [day, scope.region, scope.service, 'aws4_request'];
  const start: string | Buffer = `AWS4${keys.secretAccessKey.reveal()}`;
  const key = parts.reduce<string | Buffer>(hmac, start);
  const signature = hmac(key, stringToSign).toString('hex');
  const authorization = `${ALGORITHM} Credential=${keys.accessKeyId}/${credentialScope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { canonicalRequest, stringToSign, authorization };
}

const REGION_IN_HOST = /\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/;
const DEFAULT_REGION = 'us-east-1';

/** The region that a host is in, as its name says. */
export function regionOf(host: string): string {
  return REGION_IN_HOST.exec(host)?.[1] ?? DEFAULT_REGION;
}

/** Signs each request as it leaves. Headers that a proxy on the way may change are left out of the signature. */
export function createV4Signer(keys: AwsKeys, service: string): RequestSigner {
  return ({ method, path, headers, body, origin }, nowMs) => {
    const { host, hostname } = new URL(origin);
    const instant = instantOf(nowMs);
    const payloadHash = sha256(body ?? '');
    const own: [string, string][] = [
      ['x-amz-content-sha256', payloadHash],
      ['x-amz-date', instant],
      ...(keys.sessionToken === null
        ? []
        : [['x-amz-security-token', keys.sessionToken.reveal()] as [string, string]]),
    ];
    const signed = signV4({ method, path, headers: [['host', host], ...own], payloadHash }, keys, {
      region: regionOf(hostname),
      service,
      instant,
    });
    return [...headers, ...own.flat(), 'authorization', signed.authorization];
  };
}
