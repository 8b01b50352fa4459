import type { AccountTest } from '@tallygate/contract/api/accounts';
import type { Egress } from '../egress/egress.ts';
import { fetchSmall, GaveUp, jsonOf } from '../egress/fetch-small.ts';
import { AppError } from '../kernel/errors.ts';
import type { PoolAccount } from '../pool/pool.ts';

const TEST_DEADLINE_MS = 10_000;
const MAX_TEST_BODY_BYTES = 4 * 1024 * 1024;

function inWords(status: number, models: number): string {
  if (status < 300)
    return models > 0
      ? `The credential works; the upstream lists ${models === 1 ? 'one model' : `${models} models`}.`
      : 'The credential works.';
  if (status < 400)
    return `The upstream answered with a redirect (HTTP ${status}), which is never followed. Give the address it leads to as the base URL.`;
  if (status === 401 || status === 403) return `The upstream refused the credential (HTTP ${status}).`;
  if (status === 404)
    return 'The upstream answers, but has no model list at this address. Check the base URL.';
  if (status === 429)
    return 'The upstream answers and limits requests at the moment (HTTP 429); the credential was accepted.';
  return `The upstream answered HTTP ${status}.`;
}

function failureInWords(error: unknown): string {
  if (error instanceof AppError || error instanceof GaveUp) return error.message;
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return `The upstream could not be reached${typeof code === 'string' ? ` (${code})` : ''}. Check the base URL and the network.`;
}

/** The test call as the account's provider takes it. */
async function testRequest(account: PoolAccount, nowMs: () => number) {
  const { adapter, authorizer, basePath, baseQuery, credentialHeaders, target } = account;
  const { method, path, originOf } = adapter.testCall;
  const plain = [...credentialHeaders, 'accept', 'application/json', ...adapter.testHeaders];
  const at = path.indexOf('?');
  const [bare, query] = at === -1 ? [path, ''] : [path.slice(0, at), path.slice(at)];
  const wrapped = adapter.envelope?.wrap(
    { flavor: '', path: bare, query, headers: plain, body: null, model: null, stream: false },
    baseQuery,
  ) ?? { path, headers: plain };
  const origin = originOf?.(target.origin) ?? target.origin;
  const request = {
    method,
    path: `${basePath}${wrapped.path}`,
    headers: wrapped.headers,
    body: null,
    origin,
  };
  if (authorizer === null) return request;
  if (!authorizer.ready(nowMs())) await authorizer.prepare();
  return { ...request, headers: authorizer.authorize(request) };
}

/** Proves an account with a call that costs nothing. Never throws: what went wrong is said in words. */
export async function testAccount(
  account: PoolAccount,
  deps: { egress: Egress; nowMs: () => number; monotonicMs: () => number; deadlineMs?: number },
): Promise<AccountTest> {
  const startedMs = deps.monotonicMs();
  const { readModels } = account.adapter;
  const deadlineMs = deps.deadlineMs ?? TEST_DEADLINE_MS;
  try {
    const request = await testRequest(account, deps.nowMs);
    const target = { ...account.target, origin: request.origin };
    const answer = await fetchSmall(deps.egress.connections(target), {
      ...request,
      deadlineMs,
      maxBytes: MAX_TEST_BODY_BYTES,
    });
    const models = answer.status < 300 ? readModels(jsonOf(answer)) : [];
    const latencyMs = Math.round(deps.monotonicMs() - startedMs);
    return {
      ok: answer.status < 300,
      httpStatus: answer.status,
      latencyMs,
      message: inWords(answer.status, models.length),
      models,
    };
  } catch (error) {
    return { ok: false, httpStatus: null, latencyMs: null, message: failureInWords(error), models: [] };
  }
}
