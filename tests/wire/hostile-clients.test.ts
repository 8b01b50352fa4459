import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type KeptConnection, keepOpen } from '@tallygate/testkit/kept-connection';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const HEADERS_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;
/** Time-outs are looked for every quarter of the shortest; the rest is for a busy machine. */
const SLACK_MS = 4_000;

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld({
    config: {
      TALLYGATE_HEADERS_TIMEOUT_MS: String(HEADERS_TIMEOUT_MS),
      TALLYGATE_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
      TALLYGATE_MAX_CONNECTIONS_PER_ADDRESS: '40',
      TALLYGATE_MAX_BODY_BYTES: String(8 * 1024 * 1024),
    },
  });
  idleFiles = openSockets();
});
afterAll(() => world?.stop());

let idleFiles = 0;
const openSockets = (): number => readdirSync(`/proc/${world.gate.pid}/fd`).length;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  world.anthropic.clear();
  expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200); // it is still up, and serves
  world.anthropic.clear();
});

const open = (bytes: string | Buffer = ''): KeptConnection => {
  const kept = keepOpen(world.gate.port, bytes);
  sockets.push(kept.socket);
  return kept;
};
const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const key = (): string => `x-api-key: ${world.gate.key}`;
const json = 'content-type: application/json';

describe('slow clients', () => {
  it('408 or a closed connection for nothing, half a line, and headers that trickle', async () => {
    const mute = open();
    const half = open('POST /v1/mess');
    const trickling = open('POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n');
    const timer = setInterval(() => trickling.socket.write('x: y\r\n'), 50);
    const all = await Promise.all([mute.closed, half.closed, trickling.closed]);
    clearInterval(timer);
    for (const { text, afterMs } of all) {
      expect(afterMs).toBeLessThan(HEADERS_TIMEOUT_MS + SLACK_MS);
      if (text !== '') {
        expect(statusesIn(text)).toEqual([408]);
        expect(text).toContain('"request_timeout"');
      }
    }
    expect(all[2]?.text).toContain('408');
  });

  it('408 for a body that trickles, on the data plane and on our own API', async () => {
    const head = (path: string) =>
      lines(`POST ${path} HTTP/1.1`, 'host: 127.0.0.1', key(), json, 'content-length: 1000');
    const slow = [open(head('/v1/messages')), open(head('/api/auth/login'))];
    const timer = setInterval(() => slow.forEach(({ socket }) => void socket.write(' ')), 50);
    const all = await Promise.all(slow.map(({ closed }) => closed));
    clearInterval(timer);
    for (const { text, afterMs } of all) {
      expect(afterMs).toBeLessThan(REQUEST_TIMEOUT_MS + SLACK_MS);
      expect(statusesIn(text)).toEqual([408]);
    }
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('closes connections beyond the limit of one address, and lets new ones in once there is room', async () => {
    // Earlier tests' connections would count too; the store's own files come and go.
    await eventually('earlier connections to be gone', () => openSockets() <= idleFiles + 16);
    let cut = 0;
    const held = Array.from({ length: 50 }, () => open());
    for (const { closed } of held) {
      void closed.then(({ text }) => {
        if (text === '') cut += 1;
      });
    }
    await eventually('ten of fifty to be closed', () => cut >= 10);
    expect(cut).toBeLessThan(30);
    for (const { socket } of held) socket.destroy();
    await eventually('room for a request', async () => {
      const answer = await open(lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', 'connection: close'))
        .closed;
      return answer.text.includes('200 OK');
    });
  });
});

const CHUNKED = 'transfer-encoding: chunked';
const post = (...headers: string[]) => [
  'POST /v1/messages HTTP/1.1',
  'host: 127.0.0.1',
  key(),
  json,
  ...headers,
];

/** What was sent, and the status it has to get; the connection is closed with it. */
const MALFORMED: readonly [what: string, bytes: () => string, status: number][] = [
  [
    'content-length and transfer-encoding',
    () => `${lines(...post('content-length: 4', CHUNKED))}0\r\n\r\n`,
    400,
  ],
  [
    'transfer-encoding and content-length',
    () => `${lines(...post(CHUNKED, 'content-length: 4'))}0\r\n\r\n`,
    400,
  ],
  ['two content-lengths', () => `${lines(...post('content-length: 2', 'content-length: 3'))}{}x`, 400],
  [
    'the same content-length twice',
    () => `${lines(...post('content-length: 2', 'content-length: 2'))}{}`,
    400,
  ],
  ['a list of content-lengths', () => `${lines(...post('content-length: 2, 2'))}{}`, 400],
  ['a negative content-length', () => `${lines(...post('content-length: -2'))}{}`, 400],
  ['a signed content-length', () => `${lines(...post('content-length: +2'))}{}`, 400],
  ['a content-length beyond numbers', () => `${lines(...post(`content-length: ${'9'.repeat(30)}`))}{}`, 400],
  [
    'an unknown transfer-encoding',
    () => `${lines(...post('transfer-encoding: chunked, gzip'))}0\r\n\r\n`,
    400,
  ],
  [
    'transfer-encoding in disguise',
    () => `${lines(...post('transfer-encoding: xchunked', 'content-length: 2'))}{}`,
    400,
  ],
  ['chunked twice', () => `${lines(...post(CHUNKED, CHUNKED))}0\r\n\r\n`, 400],
  ['a chunk size that is no number', () => `${lines(...post(CHUNKED))}zz\r\n{}\r\n0\r\n\r\n`, 400],
  [
    'a chunk size beyond numbers',
    () => `${lines(...post(CHUNKED))}${'f'.repeat(20)}\r\n{}\r\n0\r\n\r\n`,
    400,
  ],
  [
    'a folded header (obs-fold)',
    () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', 'x-a: 1', ' 2'),
    400,
  ],
  ['a space before the colon', () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', 'x-a : 1'), 400],
  ['a bare line feed in a header', () => 'GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: 1\n\r\n\r\n', 400],
  [
    'a bare carriage return in a header',
    () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', 'x-a: 1\r2'),
    400,
  ],
  ['a null byte in a header', () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', 'x-a: \0'), 400],
  ['no host', () => lines('GET /healthz HTTP/1.1'), 400],
  ['two hosts', () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', 'host: evil.example'), 400],
  [
    'two authorizations',
    () => lines(...post('authorization: Bearer a', 'Authorization: Bearer b', 'content-length: 0')),
    400,
  ],
  ['two keys', () => lines(...post(key(), 'content-length: 0')), 400],
  [
    'two cookies',
    () => lines('GET /api/auth/csrf HTTP/1.1', 'host: 127.0.0.1', 'cookie: a=1', 'Cookie: b=2'),
    400,
  ],
  ['an absolute target', () => lines('GET http://127.0.0.1/healthz HTTP/1.1', 'host: 127.0.0.1'), 400],
  [
    'an absolute target elsewhere',
    () =>
      lines(
        `POST http://169.254.169.254/v1/messages HTTP/1.1`,
        'host: 127.0.0.1',
        key(),
        'content-length: 0',
      ),
    400,
  ],
  ['the asterisk target', () => lines('OPTIONS * HTTP/1.1', 'host: 127.0.0.1'), 400],
  ['a target without a slash', () => lines('GET healthz HTTP/1.1', 'host: 127.0.0.1'), 400],
  ...['/v1/messages#x', '/v1/messages?beta=true#x', '/#/v1/messages', '/healthz#'].map(
    (target): (typeof MALFORMED)[number] => [
      `the target ${target}`,
      () => `${lines(`POST ${target} HTTP/1.1`, 'host: 127.0.0.1', key(), json, 'content-length: 2')}{}`,
      400,
    ],
  ),
  ['a target with a space', () => lines('GET /a b HTTP/1.1', 'host: 127.0.0.1'), 400],
  ['a target that is too long', () => lines(`GET /${'a'.repeat(9_000)} HTTP/1.1`, 'host: 127.0.0.1'), 400],
  ['an unknown method', () => lines('BREW /healthz HTTP/1.1', 'host: 127.0.0.1'), 400],
  ['HTTP/2 without an agreement', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['HTTP/1.2', () => lines('GET /healthz HTTP/9.9', 'host: 127.0.0.1'), 400],
  ['bytes that are no HTTP', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(80, 'x'), 400],
  [
    'headers of 70 KB',
    () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', `x-a: ${'a'.repeat(70_000)}`),
    431,
  ],
  [
    '101 header fields',
    () =>
      lines(
        'GET /healthz HTTP/1.1',
        'host: 127.0.0.1',
        ...Array.from({ length: 101 }, (_, i) => `x-${i}: 1`),
      ),
    431,
  ],
  [
    '101 header fields on the data plane',
    () => lines(...post('content-length: 0', ...Array.from({ length: 101 }, (_, i) => `x-${i}: 1`))),
    431,
  ],
  [
    '10 000 short header fields',
    () => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', ...Array.from({ length: 10_000 }, () => 'a:')),
    431,
  ],
];

describe('malformed requests', () => {
  it.each(MALFORMED)('%s', async (_what, bytes, status) => {
    const { text } = await open(Buffer.from(bytes(), 'latin1')).closed;
    expect(statusesIn(text)).toEqual([status]);
    expect(text).toMatch(/"message":"[^"]{10,}"/);
    expect(text).not.toMatch(/node:|\bat \S+:\d+/);
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('says what is wrong in the dialect of the path', async () => {
    const anthropic = await open(lines(...post(key(), 'content-length: 0'))).closed;
    expect(anthropic.text).toContain('"type":"error"');
    const openai = await open(
      lines('POST /v1/chat/completions HTTP/1.1', 'host: 127.0.0.1', key(), key(), 'content-length: 0'),
    ).closed;
    expect(openai.text).toContain('"type":"invalid_request_error"');
    const fragment = await open(
      lines('POST /v1/messages#x HTTP/1.1', 'host: 127.0.0.1', key(), 'content-length: 0'),
    ).closed;
    expect(fragment.text).toContain('"type":"error"');
    expect(fragment.text).toContain('%23');
  });

  it('writes nothing into an answer that is on its way, and ends the connection after it', async () => {
    const held = Promise.withResolvers<void>();
    world.anthropic.respondOnce(async (exchange) => {
      await exchange.head(200, [
        ['content-type', 'application/json'],
        ['content-length', '4'],
      ]);
      await exchange.write('{');
      await held.promise;
      await exchange.write('}  ');
    });
    const body = JSON.stringify(MESSAGES_BODY);
    const { socket, closed } = open(`${lines(...post(`content-length: ${body.length}`))}${body}`);
    await once(socket, 'data');
    socket.write('nonsense\r\n\r\n');
    held.resolve();
    const { text } = await closed;
    expect(statusesIn(text)).toEqual([200]);
    expect(text.endsWith('\r\n\r\n{}  ')).toBe(true);
  });
});

/** Bodies that break parsers, and what they get; nothing of them goes upstream. */
const BODIES: readonly [what: string, path: string, body: () => Buffer | string, status: number][] = [
  ['invalid UTF-8', '/v1/messages', () => Buffer.from('{"model":"\xff\xfe"}', 'latin1'), 400],
  [
    'invalid UTF-8 to our own API',
    '/api/auth/login',
    () => Buffer.from('{"username":"\xff"}', 'latin1'),
    400,
  ],
  [
    'half a surrogate pair in UTF-8',
    '/v1/messages',
    () => Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
    400,
  ],
  ['UTF-16', '/v1/messages', () => Buffer.from('\ufeff{}', 'utf16le'), 400],
  ['a list nested half a million deep', '/v1/messages', () => '['.repeat(500_000), 400],
  ['the same, closed', '/v1/messages', () => '['.repeat(500_000) + ']'.repeat(500_000), 400],
  ['objects nested to our own API', '/api/auth/login', () => '{"a":'.repeat(10_000), 400],
  ['a prototype', '/api/auth/login', () => '{"__proto__":{"admin":true},"username":"a","password":"b"}', 400],
  [
    'a constructor',
    '/api/auth/login',
    () => '{"constructor":{"prototype":{"x":1}},"username":"a","password":"b"}',
    400,
  ],
  ['a number for a name', '/api/auth/login', () => `{"username":${'9'.repeat(50_000)},"password":"b"}`, 400],
  ['a key of a megabyte', '/v1/messages', () => `{"${'k'.repeat(1_000_000)}`, 400],
  ['nothing', '/v1/messages', () => '', 400],
  ['more than the limit', '/v1/messages', () => Buffer.alloc(9 * 1024 * 1024, 0x20), 413],
  ['more than our own API takes', '/api/auth/login', () => Buffer.alloc(3 * 1024 * 1024, 0x20), 413],
];

describe('hostile bodies', () => {
  it.each(BODIES)('%s to %s', async (_what, path, body, status) => {
    const answer = await world.post(path, body(), { key: path.startsWith('/api') ? null : world.gate.key })
      .answer;
    expect([answer.status, typeof (answer.json() as { error: unknown }).error]).toEqual([status, 'object']);
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('forwards what is valid JSON as it is, however odd, and stays itself', async () => {
    const deep = `{"model":"claude-sonnet-4-5","max_tokens":1,"__proto__":{"model":"x"},"n":${'9'.repeat(5_000)},"m":1e999,"d":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const answer = await world.messages(deep).answer;
    expect(answer.status).toBe(200);
    expect(world.anthropic.requests[0]?.body().toString() === deep).toBe(true);
    expect((await world.rowOf(answer)).request.modelRequested).toBe('claude-sonnet-4-5');
  });

  it('413 or a closed connection for chunks without an end', async () => {
    const { socket, closed } = open(lines(...post(CHUNKED)));
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const timer = setInterval(() => socket.writable && socket.write(chunk.repeat(8)), 10);
    const { text, afterMs } = await closed;
    clearInterval(timer);
    expect(afterMs).toBeLessThan(10_000);
    if (text !== '') expect(statusesIn(text)).toEqual([413]);
  });
});

describe('protocol oddities', () => {
  const login = (...more: string[]) => lines('GET /healthz HTTP/1.1', 'host: 127.0.0.1', ...more);

  it('answers pipelined requests in order, and cuts a flood of them', async () => {
    const two = await open(`${login()}${login('connection: close')}`).closed;
    expect(statusesIn(two.text)).toEqual([200, 200]);
    const held = Promise.withResolvers<void>();
    world.anthropic.respond(async (exchange) => {
      await held.promise;
      await exchange.answer(200, [['content-type', 'application/json']], '{}');
    });
    const body = JSON.stringify(MESSAGES_BODY);
    const one = `${lines(...post(`content-length: ${body.length}`))}${body}`;
    const { text } = await open(one.repeat(40)).closed;
    expect(statusesIn(text).length).toBeLessThan(40);
    held.resolve();
    expect(world.anthropic.requests.length).toBeLessThanOrEqual(17);
    world.anthropic.respond(anthropicApi());
  });

  it('serves HTTP/1.0 and closes', async () => {
    const { text } = await open('GET /healthz HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n').closed;
    expect(statusesIn(text)).toEqual([200]);
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  it.each(['websocket', 'h2c', 'TLS/1.3'])('upgrades nothing to %s', async (protocol) => {
    const { text } = await open(
      login(
        `upgrade: ${protocol}`,
        'connection: upgrade, http2-settings',
        'http2-settings: AAMAAABkAAQAAP__',
        'connection: close',
      ),
    ).closed;
    expect(statusesIn(text)).not.toContain(101);
    expect(statusesIn(text)).toHaveLength(1);
  });

  it('opens no tunnel', async () => {
    const { text } = await open('CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: 169.254.169.254:80\r\n\r\n')
      .closed;
    expect(statusesIn(text)).not.toContain(200);
  });

  it('417 for expectations it does not know', async () => {
    const { text } = await open(login('expect: the-impossible', 'connection: close')).closed;
    expect(statusesIn(text)).toEqual([417]);
  });

  it('survives an answer that unpacks to more than a gigabyte', async () => {
    let bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    bomb = Buffer.concat(Array.from({ length: 20 }, () => bomb));
    world.anthropic.respondOnce((exchange) =>
      exchange.answer(
        200,
        [
          ['content-type', 'application/json'],
          ['content-encoding', 'gzip'],
        ],
        bomb,
      ),
    );
    const answer = await world.messages(MESSAGES_BODY, { headers: [['accept-encoding', 'gzip']] }).answer;
    expect(answer.body.equals(bomb)).toBe(true);
    expect((await world.rowOf(answer)).request.costUsd).toBeNull();
  });
});

it.skipIf(!existsSync('/proc/self/fd'))('keeps no socket of all that', async () => {
  const before = openSockets();
  for (let round = 0; round < 3; round++) {
    await Promise.all(MALFORMED.slice(0, 20).map(([, bytes]) => open(Buffer.from(bytes(), 'latin1')).closed));
  }
  await eventually('the sockets to be gone', () => openSockets() <= before + 2);
});
