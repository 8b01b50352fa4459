import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  ANTHROPIC_HEADERS,
  anthropicError,
  anthropicMessage,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { type HeaderList, jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { OPENAI_HEADERS, openAiError } from '@tallygate/testkit/fake-upstream/openai';
import {
  CHAT_BODY,
  headerNames,
  MESSAGES_BODY,
  startWireWorld,
  type WireWorld,
} from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());

describe('what reaches the client (CF-01, CF-16)', () => {
  it('status, body and every end-to-end header of a success, names in their case', async () => {
    const body = JSON.stringify(anthropicMessage(), null, 2);
    const headers: HeaderList = [...ANTHROPIC_HEADERS, ['X-Unknown-Future', 'kept as it is']];
    world.anthropic.respondOnce(jsonAnswer(body, { headers }));
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(body);
    for (const [name, value] of headers) expect(answer.headers).toContainEqual([name, value]);
    expect(answer.value('content-type')).toBe('application/json');
  });

  it.each([400, 401, 403, 404, 413, 429, 500, 529])(
    'status %d of Anthropic with its own body',
    async (status) => {
      const body = JSON.stringify(anthropicError('some_error', `upstream says ${status}: é`));
      const headers: HeaderList = [
        ['request-id', `req_${status}`],
        ['retry-after', '17'],
        ['x-should-retry', 'true'],
        ['anthropic-ratelimit-unified-status', 'allowed'],
      ];
      world.anthropic.respondOnce(jsonAnswer(body, { status, headers }));
      // A model of its own: what a 429 limits is not asked for again in the tests that follow.
      const answer = await world.messages({ ...MESSAGES_BODY, model: `claude-${status}` }).answer;
      expect(answer.status).toBe(status);
      expect(answer.text).toBe(body);
      for (const header of headers) expect(answer.headers).toContainEqual([...header]);
    },
  );

  it.each([400, 401, 404, 429, 500, 503])('status %d of OpenAI with its own body', async (status) => {
    const body = JSON.stringify(openAiError(`upstream says ${status}`, 'some_type', 'some_code'));
    const headers: HeaderList = [...OPENAI_HEADERS, ['retry-after-ms', '250']];
    world.openai.respondOnce(jsonAnswer(body, { status, headers }));
    const answer = await world.chat({ ...CHAT_BODY, model: `gpt-${status}` }).answer;
    expect(answer.status).toBe(status);
    expect(answer.text).toBe(body);
    for (const [name, value] of headers) expect(answer.headers).toContainEqual([name, value]);
  });

  it('an error body that is not JSON, unchanged', async () => {
    world.anthropic.respondOnce((e) =>
      e.answer(502, [['Content-Type', 'text/html']], '<html>bad gateway</html>'),
    );
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect([answer.status, answer.text, answer.value('content-type')]).toEqual([
      502,
      '<html>bad gateway</html>',
      'text/html',
    ]);
  });

  it('no hop-by-hop header of the upstream, nor one its Connection header names (RFC 9110 §7.6.1)', async () => {
    const hop: HeaderList = [
      ['Connection', 'X-Hop-Down, keep-alive'],
      ['X-Hop-Down', 'internal'],
      ['Keep-Alive', 'timeout=123'],
      ['Proxy-Authenticate', 'Basic'],
      ['Proxy-Connection', 'keep-alive'],
      ['Upgrade', 'h2c'],
      ['Trailer', 'x-sum'],
      ['Set-Cookie', '__cf_bm=tracking; path=/'],
      ['Strict-Transport-Security', 'max-age=1'],
      ['Alt-Svc', 'h3=":443"'],
    ];
    world.anthropic.respondOnce(jsonAnswer(anthropicMessage(), { headers: hop }));
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.status).toBe(200);
    const names = headerNames(answer);
    for (const [name] of hop.slice(1)) {
      if (name !== 'Keep-Alive') expect(names, name).not.toContain(name.toLowerCase());
    }
    expect(answer.rawHead.toString()).not.toMatch(/internal|timeout=123|tracking/);
  });

  it('says nothing about the program, and hardens its own part', async () => {
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(headerNames(answer)).not.toContain('x-powered-by');
    expect(answer.value('x-content-type-options')).toBe('nosniff');
    expect(answer.value('x-tallygate-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(['gzip', 'br'] as const)(
    'a %s body as the upstream encoded it, and metered all the same',
    async (encoding) => {
      const message = anthropicMessage();
      world.anthropic.respondOnce(jsonAnswer(message, { encoding, headers: ANTHROPIC_HEADERS }));
      const answer = await world.messages(MESSAGES_BODY, { headers: [['accept-encoding', 'gzip, br']] })
        .answer;
      expect(answer.value('content-encoding')).toBe(encoding);
      const decode = encoding === 'gzip' ? gunzipSync : brotliDecompressSync;
      expect(JSON.parse(decode(answer.body).toString())).toEqual(message);
      const { request } = await world.rowOf(answer);
      expect(request.tokens.outputVisible).toBe(500);
    },
  );

  it('informational answers belong to the hop and do not disturb the final one', async () => {
    world.anthropic.respondOnce(async (exchange) => {
      await exchange.write('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
      await jsonAnswer(anthropicMessage())(exchange);
    });
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual(anthropicMessage());
  });

  it('headers of 40 KB', async () => {
    const headers: HeaderList = Array.from({ length: 40 }, (_, i) => [`x-large-${i}`, 'v'.repeat(1000)]);
    world.anthropic.respondOnce(jsonAnswer(anthropicMessage(), { headers }));
    const answer = await world.messages(MESSAGES_BODY).answer;
    for (const [name, value] of headers) expect(answer.value(name)).toBe(value);
  });

  it('headers beyond any reason end in an error of the gate, not in memory', async () => {
    const headers: HeaderList = Array.from({ length: 400 }, (_, i) => [`x-large-${i}`, 'v'.repeat(1000)]);
    world.anthropic.respondOnce(jsonAnswer(anthropicMessage(), { headers }));
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ type: 'error' });
    expect((await world.rowOf(answer)).request.status).toBe('upstream_error');
  });

  it('a redirect is handed on and never followed', async () => {
    world.anthropic.clear();
    world.anthropic.respondOnce((e) => e.answer(307, [['location', 'http://127.0.0.1:1/elsewhere']], ''));
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.status).toBe(307);
    expect(world.anthropic.requests).toHaveLength(1);
  });

  it('a chunked JSON body of 8 MiB, byte for byte', async () => {
    const body = Buffer.from(JSON.stringify({ ...anthropicMessage(), padding: 'é'.repeat(4 * 1024 * 1024) }));
    world.anthropic.respondOnce(async (exchange) => {
      await exchange.head(200, [
        ['Content-Type', 'application/json'],
        ['Transfer-Encoding', 'chunked'],
      ]);
      for (let at = 0; at < body.length; at += 65_537) await exchange.chunk(body.subarray(at, at + 65_537));
      await exchange.endChunks();
    });
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.body.equals(body)).toBe(true);
  });
});
