import type { RequestDetailView } from '@tallygate/contract/api/usage';
import { type Held, type PlaneGate, startDataPlane } from './data-plane.ts';
import { anthropicApi, anthropicError } from './fake-upstream/anthropic.ts';
import { type HeaderList, jsonAnswer, type Responder } from './fake-upstream/exchange.ts';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream/fake-upstream.ts';
import { type AccountSpec, type Gate, type GateOptions, startGate } from './harness.ts';
import { type RawCall, type RawHead, rawCall, requestBytes } from './raw-client.ts';
import { MESSAGES_BODY, REQUEST_ID_HEADER } from './wire-world.ts';

/** A gate in front of several accounts of one kind, each with an upstream of its own. */
export interface PoolWorld {
  gate: Gate;
  /** By the account's name. */
  upstreams: Readonly<Record<string, FakeUpstream>>;
  /** @throws Error when no account has that name */
  upstream(name: string): FakeUpstream;
  messages(body?: object, headers?: readonly (readonly [string, string])[]): RawCall;
  rowOf(answer: RawHead): Promise<RequestDetailView>;
  /** Of the data plane alone. */
  held(): Promise<Held>;
  stop(): Promise<void>;
}

export interface PoolWorldOptions {
  accounts: readonly (Partial<AccountSpec> & { name: string })[];
  config?: Readonly<Record<string, string>>;
  rules?: GateOptions['rules'];
  /** Takes the data plane alone: no process, no store. */
  planeOnly?: boolean;
  /** Counts the places of a limit on what runs at once. */
  countsSlots?: boolean;
}

/** The account that an answer came from. */
export const served = (answer: Pick<RawHead, 'value'>): string | undefined =>
  answer.value('x-tallygate-account');

/** An upstream that says no. */
export const refusal = (
  status: number,
  headers: HeaderList = [],
  type: Parameters<typeof anthropicError>[0] = 'rate_limit_error',
): Responder => jsonAnswer(anthropicError(type, 'no'), { status, headers });

const saysWhatItHolds = (gate: Gate | PlaneGate): gate is PlaneGate => 'held' in gate;

/** Starts the world; without settings of its own a test waits for nothing longer than a few milliseconds. */
export async function startPoolWorld(options: PoolWorldOptions): Promise<PoolWorld> {
  const upstreams: Record<string, FakeUpstream> = {};
  for (const { name } of options.accounts) upstreams[name] = await startFakeUpstream(anthropicApi());
  const plane = options.planeOnly || process.env.TESTKIT_GATE === 'data-plane';
  const gate: Gate | PlaneGate = await (plane ? startDataPlane : startGate)({
    ...(options.countsSlots ? { countsSlots: true } : {}),
    ...(options.rules === undefined ? {} : { rules: options.rules }),
    config: { RETRY_DELAY_MS: '5', LB_STRATEGY: 'priority', ...options.config },
    accounts: options.accounts.map((spec, index) => ({
      provider: 'anthropic',
      baseUrl: upstreams[spec.name]?.url ?? '',
      priority: index + 1,
      ...spec,
    })),
  });
  return {
    gate,
    upstreams,
    upstream(name) {
      const found = upstreams[name];
      if (found === undefined) throw new Error(`no upstream ${name}`);
      return found;
    },
    messages: (body = {}, headers = []) =>
      rawCall(
        gate.port,
        requestBytes({
          path: '/v1/messages',
          headers: [
            ['content-type', 'application/json'],
            ['anthropic-version', '2023-06-01'],
            ['x-api-key', gate.key],
            ...headers,
          ],
          body: JSON.stringify({ ...MESSAGES_BODY, ...body }),
        }),
      ),
    rowOf: (answer) => gate.row(answer.value(REQUEST_ID_HEADER) ?? ''),
    held() {
      if (!saysWhatItHolds(gate)) throw new Error('only the data plane alone says what it holds');
      return gate.held();
    },
    async stop() {
      await gate.stop();
      await Promise.all(Object.values(upstreams).map((upstream) => upstream.stop()));
    },
  };
}
