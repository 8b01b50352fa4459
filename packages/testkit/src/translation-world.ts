import type { RequestDetailView } from '@tallygate/contract/api/usage';
import { startDataPlane } from './data-plane.ts';
import type { Responder } from './fake-upstream/exchange.ts';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream/fake-upstream.ts';
import type { AccountSpec, Gate, GateOptions } from './harness.ts';
import { type RawCall, type RawHead, rawCall, requestBytes } from './raw-client.ts';
import { REQUEST_ID_HEADER } from './wire-world.ts';

/** A gate in front of one upstream that speaks one API, whatever its clients speak. */
export interface TranslationWorld {
  gate: Gate;
  upstream: FakeUpstream;
  call(path: string, body: object, headers?: readonly (readonly [string, string])[]): RawCall;
  rowOf(answer: RawHead): Promise<RequestDetailView>;
  stop(): Promise<void>;
}

export interface TranslationWorldOptions {
  provider: string;
  responder: Responder;
  account?: Partial<AccountSpec>;
  /** Accounts beside it. */
  others?: readonly AccountSpec[];
  rules?: GateOptions['rules'];
  config?: Readonly<Record<string, string>>;
}

/** Starts it; without settings of its own nothing is tried a second time. */
export async function startTranslationWorld(options: TranslationWorldOptions): Promise<TranslationWorld> {
  const upstream = await startFakeUpstream(options.responder);
  const gate = await startDataPlane({
    config: { RETRY_ATTEMPTS: '0', ...options.config },
    accounts: [
      { provider: options.provider, baseUrl: upstream.url, ...options.account },
      ...(options.others ?? []),
    ],
    ...(options.rules ? { rules: options.rules } : {}),
  });
  return {
    gate,
    upstream,
    call: (path, body, headers = []) =>
      rawCall(
        gate.port,
        requestBytes({
          path,
          headers: [['content-type', 'application/json'], ['x-api-key', gate.key], ...headers],
          body: JSON.stringify(body),
        }),
      ),
    rowOf: (answer) => gate.row(answer.value(REQUEST_ID_HEADER) ?? ''),
    async stop() {
      await gate.stop();
      await upstream.stop();
    },
  };
}
