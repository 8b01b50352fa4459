import type { RequestDetailView } from '@tallygate/contract/api/usage';
import { startDataPlane } from './data-plane.ts';
import { anthropicApi } from './fake-upstream/anthropic.ts';
import {
  type FakeUpstream,
  type FakeUpstreamOptions,
  startFakeUpstream,
} from './fake-upstream/fake-upstream.ts';
import { openAiApi } from './fake-upstream/openai.ts';
import { type Gate, type GateOptions, startGate } from './harness.ts';
import {
  type RawAnswer,
  type RawCall,
  type RawHead,
  type RawRequest,
  rawCall,
  requestBytes,
} from './raw-client.ts';

/** The credentials the gate holds for its upstreams; a client never sees them. */
export const ANTHROPIC_CREDENTIAL = 'sk-ant-upstream-credential';
export const OPENAI_CREDENTIAL = 'sk-openai-upstream-credential';

type Headers = NonNullable<RawRequest['headers']>;

export interface CallOptions {
  headers?: Headers;
  path?: string;
  /** Default: the gate's first key as `x-api-key`. Null sends none. */
  key?: string | null;
}

/** A gate in front of one fake upstream of each kind. */
export interface WireWorld {
  gate: Gate;
  anthropic: FakeUpstream;
  openai: FakeUpstream;
  /** A raw POST with a JSON body; an object is serialised, a string goes as it is. */
  post(path: string, body: unknown, options?: CallOptions): RawCall;
  get(path: string, options?: CallOptions): RawCall;
  messages(body: unknown, options?: CallOptions): RawCall;
  chat(body: unknown, options?: CallOptions): RawCall;
  /** The ledger row of an answered call. */
  rowOf(answer: RawHead): Promise<RequestDetailView>;
  stop(): Promise<void>;
}

/** Header that names the ledger row of an answer. */
export const REQUEST_ID_HEADER = 'x-tallygate-request-id';

export const MESSAGES_BODY = {
  model: 'claude-sonnet-4-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello' }],
};
export const CHAT_BODY = { model: 'gpt-5', messages: [{ role: 'user', content: 'Hello' }] };

/**
 * Starts the world; upstreams behave like the real APIs until a test gives them another script. The gate is the
 * real process; `TESTKIT_GATE=data-plane` takes the data plane alone instead, for working on the wire.
 */
export async function startWireWorld(
  options: Omit<GateOptions, 'accounts'> & { upstream?: FakeUpstreamOptions } = {},
): Promise<WireWorld> {
  const { upstream, ...gateOptions } = options;
  const [anthropic, openai] = await Promise.all([
    startFakeUpstream(anthropicApi(), upstream),
    startFakeUpstream(openAiApi(), upstream),
  ]);
  const start = process.env.TESTKIT_GATE === 'data-plane' ? startDataPlane : startGate;
  const gate = await start({
    ...gateOptions,
    // One attempt a call, so that what a test scripts is what the client gets; `tests/wire/failover` tries again.
    config: { RETRY_ATTEMPTS: '0', ...gateOptions.config },
    accounts: [
      { provider: 'anthropic', baseUrl: anthropic.url, apiKey: ANTHROPIC_CREDENTIAL },
      { provider: 'openai', baseUrl: openai.url, apiKey: OPENAI_CREDENTIAL },
    ],
  });
  const credential = ({ key = gate.key }: CallOptions): Headers => (key === null ? [] : [['x-api-key', key]]);
  const post: WireWorld['post'] = (path, body, callOptions = {}) =>
    rawCall(
      gate.port,
      requestBytes({
        path,
        headers: [
          ['content-type', 'application/json'],
          ...credential(callOptions),
          ...(callOptions.headers ?? []),
        ],
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    );
  return {
    gate,
    anthropic,
    openai,
    post,
    get: (path, callOptions = {}) =>
      rawCall(
        gate.port,
        requestBytes({
          method: 'GET',
          path,
          headers: [...credential(callOptions), ...(callOptions.headers ?? [])],
        }),
      ),
    messages: (body, callOptions = {}) =>
      post(callOptions.path ?? '/v1/messages', body, {
        ...callOptions,
        headers: [['anthropic-version', '2023-06-01'], ...(callOptions.headers ?? [])],
      }),
    chat: (body, callOptions = {}) => post(callOptions.path ?? '/v1/chat/completions', body, callOptions),
    rowOf(answer) {
      const id = answer.value(REQUEST_ID_HEADER);
      if (id === undefined)
        throw new Error(`the answer names no request:\n${answer.rawHead.toString('latin1')}`);
      return gate.row(id);
    },
    async stop() {
      await gate.stop();
      await Promise.all([anthropic.stop(), openai.stop()]);
    },
  };
}

/** Header names of an answer, lower-case, for asserting what is absent. */
export function headerNames(answer: RawAnswer | RawHead): string[] {
  return answer.headers.map(([name]) => name.toLowerCase());
}
