import { readFile } from 'node:fs/promises';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { type CheckContext, fail, ok, warn } from './check.ts';
import { type Listener, LOOPBACK, listenersOf } from './listeners.ts';

const DAY_MS = 86_400_000;
/** Automated renewal happens a month ahead; less than this means that it failed. */
const RENEWED_BY_DAYS = 14;
const BIND_FIX =
  'Set TLS_CERT_FILE and TLS_KEY_FILE, or listen on 127.0.0.1 with a proxy in front that speaks TLS.';

/** Who can reach each address, and whether what goes over it can be read on the way. */
export async function checkBindAddresses({ config }: CheckContext): Promise<CheckResult[]> {
  const { trustedProxies, allowedClientAddresses, adminAllowedAddresses } = config;
  return listenersOf(config).map((listener) => {
    const allowed = listener.suffix === '' ? allowedClientAddresses : adminAllowedAddresses;
    return judgeBinding(listener, trustedProxies.length > 0 && allowed.length > 0);
  });
}

function judgeBinding({ suffix, what, host, tls }: Listener, named: boolean): CheckResult {
  const id = `bind_address${suffix}`;
  if (LOOPBACK.test(host)) return ok(id, `${what} listens on ${host}: only this machine reaches it.`);
  const who = host === '0.0.0.0' || host === '::' ? 'every network of this machine' : host;
  if (tls) return ok(id, `${what} listens on ${who} and speaks TLS.`);
  if (named)
    return ok(id, `${what} listens on ${who} for named addresses only, behind proxies that are named.`);
  return warn(
    id,
    `${what} listens on ${who}, and speaks plain HTTP: keys and passwords can be read on the way.`,
    BIND_FIX,
  );
}

/** The certificate that the server shows: readable, in force, and renewed in time. */
export async function checkCertificate({ config, now: readClock }: CheckContext): Promise<CheckResult> {
  const id = 'tls';
  const { tlsCertFile } = config;
  if (tlsCertFile === null) {
    if (listenersOf(config).every(({ host }) => LOOPBACK.test(host)))
      return ok(id, 'No TLS, and none is needed: only this machine reaches it.');
    return warn(id, 'The server itself speaks no TLS.', BIND_FIX);
  }
  const { X509Certificate } = await import('node:crypto');
  const certificate = new X509Certificate(await readFile(tlsCertFile));
  const now = readClock().getTime();
  const endsMs = Date.parse(certificate.validTo);
  const fix = 'Renew it; the server reads the new file within a second.';
  if (Date.parse(certificate.validFrom) > now)
    return fail(
      id,
      `The certificate is not valid before ${certificate.validFrom}.`,
      'Check the clock and the file.',
    );
  if (endsMs <= now) return fail(id, `The certificate ended on ${certificate.validTo}.`, fix);
  const days = Math.floor((endsMs - now) / DAY_MS);
  if (days < RENEWED_BY_DAYS) return warn(id, `The certificate ends in ${days} days.`, fix);
  return ok(id, `The certificate is good for ${days} days; TLS 1.2 and 1.3 are spoken.`);
}

/** Which pages of other sites may read answers. */
export async function checkCors({ config }: CheckContext): Promise<CheckResult> {
  const id = 'cors';
  const { corsAllowedOrigins } = config;
  if (corsAllowedOrigins.length === 0) return ok(id, 'No page of another site may read answers.');
  if (corsAllowedOrigins.includes('*'))
    return fail(id, 'Pages of every site may read answers.', 'Name the origins in CORS_ORIGIN.');
  const plain = corsAllowedOrigins.filter((origin) => {
    const { protocol, hostname } = new URL(origin);
    return protocol === 'http:' && !LOOPBACK.test(hostname);
  });
  if (plain.length === 0)
    return ok(id, `Pages of ${corsAllowedOrigins.join(', ')} may read answers, no others.`);
  return warn(
    id,
    `Pages of ${plain.join(', ')} may read answers, and anybody on the way can change those pages.`,
    'Serve them over https, and name them so.',
  );
}

/** What the browser policy was loosened for. */
export async function checkContentPolicy({ config }: CheckContext): Promise<CheckResult> {
  const id = 'content_policy';
  const { cspReportOnly, cspConnectSrc } = config;
  if (cspReportOnly)
    return fail(
      id,
      'The content security policy is only tried out and stops nothing.',
      'Remove CSP_REPORT_ONLY.',
    );
  if (cspConnectSrc.length === 0)
    return ok(id, 'The content security policy is in force, without exceptions.');
  return ok(
    id,
    `The content security policy is in force; pages may also connect to ${cspConnectSrc.join(', ')}.`,
  );
}
