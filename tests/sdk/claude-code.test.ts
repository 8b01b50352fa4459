import { anthropicApi, anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { CHAT_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.anthropic.clear();
  world.anthropic.respond(anthropicApi());
});

const SESSION = '5f1c9f0e-3f52-4d6e-9a51-0d7f1c2b3a4d';

/** What `ANTHROPIC_BASE_URL` and `ANTHROPIC_AUTH_TOKEN` make Claude Code send. */
const headers = (): [string, string][] => [
  ['Accept', 'application/json'],
  ['X-Stainless-Retry-Count', '0'],
  ['X-Stainless-Timeout', '600'],
  ['X-Stainless-Lang', 'js'],
  ['X-Stainless-Package-Version', '0.60.0'],
  ['X-Stainless-OS', 'Linux'],
  ['X-Stainless-Arch', 'x64'],
  ['X-Stainless-Runtime', 'node'],
  ['X-Stainless-Runtime-Version', 'v24.3.0'],
  ['anthropic-dangerous-direct-browser-access', 'true'],
  ['anthropic-version', '2023-06-01'],
  ['authorization', `Bearer ${world.gate.key}`],
  ['x-app', 'cli'],
  ['User-Agent', 'claude-cli/1.0.30 (external, cli)'],
  [
    'anthropic-beta',
    'claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14',
  ],
  ['x-claude-code-session-id', SESSION],
  ['x-stainless-helper-method', 'stream'],
  ['accept-language', '*'],
  ['sec-fetch-mode', 'cors'],
  ['accept-encoding', 'gzip, deflate'],
];

const turn = {
  model: 'claude-sonnet-4-5',
  max_tokens: 32_000,
  temperature: 1,
  system: [
    { type: 'text', text: 'You are a coding agent.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: 'Environment: …', cache_control: { type: 'ephemeral', ttl: '1h' } },
  ],
  tools: [{ name: 'Bash', description: 'Runs a command', input_schema: { type: 'object', properties: {} } }],
  metadata: { user_id: `user_0000_account__session_${SESSION}` },
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'list files', cache_control: { type: 'ephemeral' } }] },
  ],
  stream: true,
};

describe('Claude Code through ANTHROPIC_BASE_URL (CF-01)', () => {
  it('a turn: query, betas and body unchanged, the stream byte for byte, the session on the row', async () => {
    const script = { thinking: 'hm', toolUse: { name: 'Bash', input: { command: 'ls -la' } } };
    world.anthropic.respond(anthropicApi(script));
    const body = JSON.stringify(turn);
    const call = world.post('/v1/messages?beta=true', body, { key: null, headers: headers() });
    const answer = await call.answer;
    expect(answer.text).toBe(anthropicEvents({ model: turn.model, ...script }).join(''));
    const request = world.anthropic.requests[0];
    expect(request?.target).toBe('/v1/messages?beta=true');
    expect(request?.body().toString()).toBe(body);
    for (const [name, value] of headers()) {
      if (name !== 'authorization') expect(request?.value(name), name).toBe(value);
    }
    expect(request?.values('authorization')).toEqual([]);
    const row = await world.rowOf(answer);
    expect(row.request).toMatchObject({ sessionId: SESSION, costUsd: '0.0593', stream: true });
  });

  it('older versions name the session only in metadata.user_id', async () => {
    const without = headers().filter(([name]) => name !== 'x-claude-code-session-id');
    const answer = await world.post('/v1/messages?beta=true', turn, { key: null, headers: without }).answer;
    expect((await world.rowOf(answer)).request.sessionId).toBe(SESSION);
  });

  it('a burst of count_tokens as at start-up is answered and costs nothing', async () => {
    const { stream, max_tokens, ...count } = turn;
    expect([stream, max_tokens]).toEqual([true, 32_000]);
    const path = '/v1/messages/count_tokens?beta=true';
    const calls = Array.from(
      { length: 50 },
      () => world.post(path, count, { key: null, headers: headers() }).answer,
    );
    for (const answer of await Promise.all(calls)) {
      expect(answer.json()).toEqual({ input_tokens: 2095 });
    }
    const after = await world.post('/v1/messages?beta=true', turn, { key: null, headers: headers() }).answer;
    await world.rowOf(after);
    const rows = await world.gate.requestsJson();
    expect(rows.every((row) => row.apiFlavor === 'anthropic.messages')).toBe(true);
  });

  it('model discovery: GET /v1/models?limit=1000 by the Anthropic header', async () => {
    const answer = await world.get('/v1/models?limit=1000', { key: null, headers: headers() }).answer;
    expect((answer.json() as { data: { id: string }[] }).data.map(({ id }) => id)).toContain(
      'claude-sonnet-4-5',
    );
  });

  it('another tool on the same gate does not disturb it', async () => {
    expect((await world.chat(CHAT_BODY).answer).status).toBe(200);
  });
});
