import type { AccountTest } from '@tallygate/contract/api/accounts';
import type { Dispatcher } from 'undici';
import type { Egress } from '../egress/egress.ts';
import { AppError } from '../kernel/errors.ts';
import type { PoolAccount } from '../pool/pool.ts';

/** For the whole answer, not only for its silences: one that trickles would otherwise never end. */
const TEST_DEADLINE_MS = 10_000;
const MAX_TEST_BODY_BYTES = 4 * 1024 * 1024;

/** Why the test gave up on an answer; the message is shown. */
class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

interface TestAnswer {
  status: number;
  body: unknown;
}

/** Collects a small JSON answer within a bound of time and bytes; resolves with a null body when it is not JSON. */
class Collect implements Dispatcher.DispatchHandler {
  #status = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #resolve: (answer: TestAnswer) => void;
  readonly #reject: (error: unknown) => void;

  readonly #deadline: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(resolve: (answer: TestAnswer) => void, reject: (error: unknown) => void, deadlineMs: number) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = setTimeout(() => this.#giveUp('The upstream did not answer in time.'), deadlineMs);
  }

  #giveUp(why: string): void {
    const error = new GaveUp(why);
    this.#controller?.abort(error);
    this.#end(() => this.#reject(error));
  }

  #end(settle: () => void): void {
    clearTimeout(this.#deadline);
    settle();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_TEST_BODY_BYTES)
      this.#giveUp(`The upstream's answer is larger than ${MAX_TEST_BODY_BYTES} bytes.`);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    let body: unknown = null;
    try {
      body = JSON.parse(Buffer.concat(this.#chunks).toString('utf8'));
    } catch {
      body = null; // some servers answer 401 with HTML; the status says enough
    }
    this.#end(() => this.#resolve({ status: this.#status, body }));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(() => this.#reject(error));
  }
}

function inWords(status: number, models: number): string {
  if (status < 300)
    return models > 0
      ? `The credential works; the upstream lists ${models} models.`
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

/** Proves an account with a call that costs nothing. Never throws: what went wrong is said in words. */
export async function testAccount(
  account: PoolAccount,
  deps: { egress: Egress; monotonicMs: () => number; deadlineMs?: number },
): Promise<AccountTest> {
  const startedMs = deps.monotonicMs();
  const { testCall, readModels } = account.adapter;
  const deadlineMs = deps.deadlineMs ?? TEST_DEADLINE_MS;
  try {
    const answer = await new Promise<TestAnswer>((resolve, reject) => {
      deps.egress.connections(account.target).dispatch(
        {
          path: `${account.basePath}${testCall.path}`,
          method: testCall.method,
          headers: [
            ...account.credentialHeaders,
            'accept',
            'application/json',
            ...account.adapter.testHeaders,
          ],
          headersTimeout: deadlineMs,
          bodyTimeout: deadlineMs,
        },
        new Collect(resolve, reject, deadlineMs),
      );
    });
    const models = answer.status < 300 ? readModels(answer.body) : [];
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
