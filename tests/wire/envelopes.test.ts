import { startDataPlane } from '@tallygate/testkit/data-plane';
import { chunkFrame, eventFrame } from '@tallygate/testkit/event-frames';
import { anthropicEvents, anthropicMessage } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, type Responder } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import type { Gate } from '@tallygate/testkit/harness';
import { CutAnswer, rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { CHAT_BODY, MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let upstream: FakeUpstream;
let gate: Gate;

beforeEach(async () => {
  upstream = await startFakeUpstream();
});
afterEach(async () => {
  await gate.stop();
  await upstream.stop();
});

async function start(provider: string, path: string, apiKey: string): Promise<void> {
  gate = await startDataPlane({
    config: { RETRY_ATTEMPTS: '0' },
    accounts: [{ provider, baseUrl: `${upstream.url}${path}`, apiKey }],
  });
}

const post = (path: string, body: object, headers: readonly (readonly [string, string])[] = []) =>
  rawCall(
    gate.port,
    requestBytes({
      path,
      headers: [['content-type', 'application/json'], ['x-api-key', gate.key], ...headers],
      body: JSON.stringify(body),
    }),
  ).answer;
const rowOf = (answer: { value(name: string): string | undefined }) =>
  gate.row(answer.value('x-tallygate-request-id') ?? '').then(({ request }) => request);

const KEYS = 'AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const SENT = { ...MESSAGES_BODY, model: MODEL };
const VERSION: readonly [string, string] = ['anthropic-version', '2023-06-01'];
const EVENTS = anthropicEvents({ model: MODEL });
const dataOf = (event: string): object => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '') as object;

/** Sends frames in pieces that respect nothing. */
const frames =
  (bytes: Buffer, size = 37): Responder =>
  async (exchange) => {
    await exchange.write(
      'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nConnection: close\r\n\r\n',
    );
    for (let at = 0; at < bytes.length; at += size) await exchange.write(bytes.subarray(at, at + size));
    await exchange.halfClose();
  };

describe('AWS Bedrock (X-04)', () => {
  beforeEach(() => start('bedrock', '', KEYS));

  it('takes a message to InvokeModel, signed, with nothing changed but what Bedrock wants elsewhere', async () => {
    upstream.respond(jsonAnswer(anthropicMessage({ model: MODEL })));
    const answer = await post('/v1/messages', { ...SENT, stream: false }, [
      VERSION,
      ['anthropic-beta', 'b-2, a-1'],
      ['x-amz-date', '20000101T000000Z'],
    ]);
    expect([answer.status, answer.text]).toEqual([200, JSON.stringify(anthropicMessage({ model: MODEL }))]);
    const seen = upstream.requests[0];
    expect(seen?.target).toBe(`/model/${encodeURIComponent(MODEL)}/invoke`);
    const { model: _model, ...rest } = SENT;
    expect(seen?.json()).toEqual({
      ...rest,
      anthropic_version: 'bedrock-2023-05-31',
      anthropic_beta: ['b-2', 'a-1'],
    });
    expect(seen?.value('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\//,
    );
    expect(seen?.values('x-amz-date')).toHaveLength(1);
    expect(seen?.value('x-amz-date')).not.toContain('2000');
    expect(seen?.values('anthropic-version')).toEqual([]);
    expect(JSON.stringify(seen?.headers)).not.toContain('wJalr');
    const row = await rowOf(answer);
    expect(row).toMatchObject({ provider: 'bedrock', modelRequested: MODEL, status: 'ok' });
    expect(row.tokens.outputVisible).toBe(500);
  });

  it('gives a stream of frames to the client as the events that they carry, metered', async () => {
    upstream.respond(frames(Buffer.concat(EVENTS.map((event) => chunkFrame(dataOf(event))))));
    const answer = await post('/v1/messages', { ...SENT, stream: true }, [VERSION]);
    expect(upstream.requests[0]?.target).toBe(
      `/model/${encodeURIComponent(MODEL)}/invoke-with-response-stream`,
    );
    expect(upstream.requests[0]?.json()).not.toHaveProperty('stream');
    expect([answer.status, answer.value('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(answer.text).toBe(EVENTS.join(''));
    const row = await rowOf(answer);
    expect(row).toMatchObject({ status: 'ok', stream: true });
    expect(row.tokens.outputVisible).toBe(500);
  });

  it('never takes a frame with a wrong checksum for content', async () => {
    const bytes = Buffer.concat(EVENTS.map((event) => chunkFrame(dataOf(event))));
    bytes[200] = (bytes[200] ?? 0) ^ 0xff;
    upstream.respond(frames(bytes, bytes.length));
    const cut = post('/v1/messages', { ...SENT, stream: true }, [VERSION]);
    await expect(cut).rejects.toBeInstanceOf(CutAnswer);
    expect(await gate.untilRows(1)).toMatchObject([{ status: 'upstream_error' }]);
  });

  it('says in the client’s dialect what went wrong, before and inside a stream', async () => {
    const headers = [['x-amzn-ErrorType', 'ValidationException']] as const;
    upstream.respondOnce(
      jsonAnswer({ message: 'The provided model identifier is invalid.' }, { status: 400, headers }),
    );
    const refused = await post('/v1/messages', SENT, [VERSION]);
    expect([refused.status, refused.json()]).toEqual([
      400,
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'The provided model identifier is invalid.' },
      },
    ]);
    const opening = EVENTS.slice(0, 4).map((event) => chunkFrame(dataOf(event)));
    const exception = eventFrame(
      { ':message-type': 'exception', ':exception-type': 'throttlingException' },
      '{"message":"slow down"}',
    );
    upstream.respondOnce(frames(Buffer.concat([...opening, exception])));
    const broken = await post('/v1/messages', { ...SENT, stream: true }, [VERSION]);
    expect(broken.text).toContain('"rate_limit_error","message":"slow down"');
    expect((await rowOf(broken)).status).toBe('upstream_error');
  });

  it('takes a Bedrock API key as a bearer token', async () => {
    await gate.stop();
    await start('bedrock', '', 'ABSKQmVkcm9ja0FQSUtleQ');
    upstream.respond(jsonAnswer(anthropicMessage({ model: MODEL })));
    await post('/v1/messages', SENT, [VERSION]);
    expect(upstream.requests[0]?.value('authorization')).toBe('Bearer ABSKQmVkcm9ja0FQSUtleQ');
  });
});

describe('Azure OpenAI (X-04)', () => {
  it('calls the versionless API, the body untouched', async () => {
    await start('azure', '', 'azure-key');
    upstream.respond(openAiApi());
    await post('/v1/chat/completions', CHAT_BODY);
    const seen = upstream.requests[0];
    expect(seen?.target).toBe('/openai/v1/chat/completions');
    expect(seen?.value('api-key')).toBe('azure-key');
    expect(seen?.values('authorization')).toEqual([]);
    expect(seen?.body().toString()).toBe(JSON.stringify(CHAT_BODY));
  });

  it('calls deployments, with the version of the base URL', async () => {
    await start('azure', '?api-version=2024-10-21', 'azure-key');
    upstream.respond(openAiApi());
    await post('/v1/chat/completions?trace=1', CHAT_BODY);
    await post('/v1/embeddings', { model: 'text-embedding-3-small', input: 'x' });
    await post('/v1/responses', { model: 'gpt-5', input: 'x' });
    expect(upstream.requests.map(({ target }) => target)).toEqual([
      '/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21&trace=1',
      '/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21',
      '/openai/responses?api-version=2024-10-21',
    ]);
  });
});

describe('Vertex AI by base URL (X-04)', () => {
  const base = (publisher: string) => `/v1/projects/p/locations/europe-west1/publishers/${publisher}`;

  it('calls rawPredict for Anthropic’s models, with an access token', async () => {
    await start('anthropic', base('anthropic'), 'ya29.token');
    upstream.respond(jsonAnswer(anthropicMessage()));
    const model = 'claude-sonnet-4-5@20250929';
    const answer = await post('/v1/messages', { ...MESSAGES_BODY, model }, [
      VERSION,
      ['anthropic-beta', 'a-1'],
    ]);
    expect(answer.status).toBe(200);
    const seen = upstream.requests[0];
    expect(seen?.target).toBe(`${base('anthropic')}/models/${encodeURIComponent(model)}:rawPredict`);
    const { model: _model, ...rest } = MESSAGES_BODY;
    expect(seen?.json()).toEqual({ ...rest, anthropic_version: 'vertex-2023-10-16' });
    expect(seen?.value('authorization')).toBe('Bearer ya29.token');
    expect([seen?.values('x-api-key'), seen?.value('anthropic-beta')]).toEqual([[], 'a-1']);
    await post('/v1/messages', { ...MESSAGES_BODY, model, stream: true }, [VERSION]);
    expect(upstream.requests[1]?.target).toMatch(/:streamRawPredict$/);
    await post('/v1/messages/count_tokens', { ...MESSAGES_BODY, model }, [VERSION]);
    expect(upstream.requests[2]?.target).toBe(`${base('anthropic')}/models/count-tokens:rawPredict`);
    expect(upstream.requests[2]?.json()).toMatchObject({ model });
  });

  it('calls Google’s models at the same paths without the version', async () => {
    await start('gemini', base('google'), 'ya29.token');
    upstream.respond(jsonAnswer({ candidates: [] }));
    await post('/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse', { contents: [] });
    const seen = upstream.requests[0];
    expect(seen?.target).toBe(`${base('google')}/models/gemini-2.5-pro:streamGenerateContent?alt=sse`);
    expect([seen?.value('authorization'), seen?.values('x-goog-api-key')]).toEqual(['Bearer ya29.token', []]);
  });
});
