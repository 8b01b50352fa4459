import { rawCall } from '@tallygate/testkit/raw-client';
import {
  ANTHROPIC_CREDENTIAL,
  CHAT_BODY,
  MESSAGES_BODY,
  OPENAI_CREDENTIAL,
  startWireWorld,
  type WireWorld,
} from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.anthropic.clear();
  world.openai.clear();
});

describe('what reaches the upstream (CF-01)', () => {
  it.each([
    ['odd spacing and a trailing newline', '  {\n\t"model" :"claude-sonnet-4-5",  "max_tokens":1 }\r\n'],
    [
      'escapes, a lone surrogate and multi-byte text',
      '{"model":"m","x":"\\u00e9 \\ud83d é 世界 🚀","n":1.0}',
    ],
    ['numbers no double can hold', '{"model":"m","n":12345678901234567890123,"f":1.10,"e":1E400}'],
    ['duplicate members', '{"model":"a","model":"b","stream":false}'],
    [
      'members nobody knows',
      '{"future":{"deep":[null,true]},"model":"m","system":[{"type":"text","text":"s"}]}',
    ],
  ])('the body, byte for byte: %s', async (_name, body) => {
    const answer = await world.messages(body).answer;
    expect(answer.status).toBe(200);
    const [request] = world.anthropic.requests;
    expect(request?.body().toString('utf8')).toBe(body);
    expect(request?.value('content-length')).toBe(String(Buffer.byteLength(body)));
  });

  it('a body sent in chunks, whole', async () => {
    const body = JSON.stringify(MESSAGES_BODY);
    const head = `POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: ${world.gate.key}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join('');
    const answer = await rawCall(world.gate.port, Buffer.from(`${head}${chunks}0\r\n\r\n`)).answer;
    expect(answer.status).toBe(200);
    expect(world.anthropic.requests[0]?.body().toString()).toBe(body);
  });

  it.each(['?beta=true', '?a=1&a=2&b=%20%2F+x&empty=&flag', '?', '?q=%E4%B8%96&x=a%00b'])(
    'the query string as it was: %s',
    async (query) => {
      await world.messages(MESSAGES_BODY, { path: `/v1/messages${query}` }).answer;
      expect(world.anthropic.requests[0]?.target).toBe(`/v1/messages${query}`);
    },
  );

  it('any anthropic-version, betas, unknown and repeated headers, in their order and case', async () => {
    const sent: [string, string][] = [
      ['anthropic-version', '2099-12-31'],
      ['anthropic-beta', 'claude-code-20250219,interleaved-thinking-2025-05-14'],
      ['X-Stainless-Lang', 'js'],
      ['x-App', 'cli'],
      ['X-Future-Header', 'first'],
      ['x-future-header', 'second'],
      ['User-Agent', 'claude-cli/1.0.30 (external, cli)'],
      ['accept-encoding', 'gzip, deflate'],
    ];
    await world.post('/v1/messages', MESSAGES_BODY, { headers: sent }).answer;
    const request = world.anthropic.requests[0];
    const known = new Set(sent.map(([name]) => name));
    expect(request?.headers.filter(([name]) => known.has(name))).toEqual(sent);
  });

  it("the account's credential in place of the client's, whichever form that had", async () => {
    const { key } = world.gate;
    const forms: [string, string][][] = [
      [['x-api-key', key]],
      [['authorization', `Bearer ${key}`]],
      [
        ['Authorization', `bearer ${key}`],
        ['X-Api-Key', key],
      ],
      [['X-Widget-Api-Key', key]],
      [['X-Admin-Api-Key', key]],
    ];
    for (const headers of forms) {
      world.anthropic.clear();
      world.openai.clear();
      expect((await world.messages(MESSAGES_BODY, { key: null, headers }).answer).status).toBe(200);
      expect((await world.chat(CHAT_BODY, { key: null, headers }).answer).status).toBe(200);
      const toAnthropic = world.anthropic.requests[0];
      expect(toAnthropic?.values('x-api-key')).toEqual([ANTHROPIC_CREDENTIAL]);
      expect(toAnthropic?.values('authorization')).toEqual([]);
      const toOpenai = world.openai.requests[0];
      expect(toOpenai?.values('authorization')).toEqual([`Bearer ${OPENAI_CREDENTIAL}`]);
      expect(toOpenai?.values('x-api-key')).toEqual([]);
      for (const request of [toAnthropic, toOpenai]) expect(request?.rawHead.toString()).not.toContain(key);
    }
  });

  it('no hop-by-hop header, neither the standard ones nor those the Connection header names (RFC 9110 §7.6.1)', async () => {
    const hop: [string, string][] = [
      ['Connection', 'close, X-Hop-One, x-hop-two'],
      ['X-Hop-One', 'secret'],
      ['x-hop-two', 'secret'],
      ['Keep-Alive', 'timeout=5'],
      ['TE', 'trailers'],
      ['Trailer', 'x-checksum'],
      ['Proxy-Authorization', 'Basic c2VjcmV0'],
      ['Proxy-Authenticate', 'Basic'],
      ['Proxy-Connection', 'keep-alive'],
      ['X-Kept', 'yes'],
    ];
    const answer = await world.messages(MESSAGES_BODY, { headers: hop }).answer;
    expect(answer.status).toBe(200);
    const request = world.anthropic.requests[0];
    expect(request?.value('x-kept')).toBe('yes');
    for (const [name] of hop.slice(1, -1)) expect(request?.values(name), name).toEqual([]);
    expect(request?.values('connection').join()).not.toMatch(/x-hop/i);
    expect(request?.rawHead.toString()).not.toContain('secret');
  });

  it('an upgrade is not passed on', async () => {
    await world.messages(MESSAGES_BODY, {
      headers: [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'h2c'],
      ],
    }).answer;
    expect(world.anthropic.requests[0]?.values('upgrade')).toEqual([]);
  });

  it('cookies stay here, and the upstream is asked for by its own name', async () => {
    await world.messages(MESSAGES_BODY, { headers: [['cookie', 'session=abc']] }).answer;
    const request = world.anthropic.requests[0];
    expect(request?.values('cookie')).toEqual([]);
    expect(request?.value('host')).toBe(`127.0.0.1:${world.anthropic.port}`);
  });

  it('a base URL with a path keeps it in front', async () => {
    await world.gate.addAccount({
      provider: 'compatible',
      baseUrl: `${world.openai.url}/api/v9/`,
      models: ['only-here'],
      priority: 1,
    });
    await world.chat({ ...CHAT_BODY, model: 'only-here' }, { path: '/v1/chat/completions?x=1' }).answer;
    expect(world.openai.requests[0]?.target).toMatch(/^\/api\/v9\/.*chat\/completions\?x=1$/);
  });
});
