import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP, Socket } from 'node:net';
import { addressRangeSchema } from '@tallygate/contract/api/key-restrictions';
import { ConfigError } from '@tallygate/server/config/config-error';
import { loadConfig } from '@tallygate/server/config/load-config';
import { readClient } from '@tallygate/server/http/client-view';
import { createDataRoutes } from '@tallygate/server/http/data-routes';
import { parseJsonBody, parseQuery } from '@tallygate/server/http/json-body';
import { readFlowCookie, readSessionCookie } from '@tallygate/server/http/session-cookie';
import { createAddressSet, parseNetwork } from '@tallygate/server/kernel/address-set';
import { assertCallerAllowed, compileCallerLimits } from '@tallygate/server/kernel/caller-limits';
import { AppError } from '@tallygate/server/kernel/errors';
import { findMember, setMember } from '@tallygate/server/kernel/json-span';
import { requestTags } from '@tallygate/server/pipeline/stages/request-tags';
import { readLimitHeaders } from '@tallygate/server/pool/rate-limit-headers';
import { SseTap } from '@tallygate/server/providers/shared/sse-tap';
import { parseCursor } from '@tallygate/server/store/queries/request-pages';
import { ADAPTERS } from '@tallygate/server/wire/adapters';
import { NORMALISERS } from '@tallygate/server/wire/normalisers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Time-boxed: what was tried until then has passed. The seed is random, and printed by a failure. */
const BOXED = { numRuns: 3_000, interruptAfterTimeLimit: 2_000, markInterruptAsFailure: false } as const;
const LIMIT = { timeout: 60_000 };

/** Pieces of a grammar in any order, with noise between: gets further into a parser than noise alone. */
const near = (...pieces: string[]): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof(
        { arbitrary: fc.constantFrom(...pieces), weight: 4 },
        { arbitrary: fc.string({ unit: 'binary', maxLength: 6 }), weight: 1 },
        { arbitrary: fc.integer().map(String), weight: 1 },
      ),
      { maxLength: 24 },
    )
    .map((parts) => parts.join(''));

/** Runs a parser that may refuse, but only in its own words. */
function refusesOnly<T>(run: () => T, kind: new (...args: never[]) => Error): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof kind) return null;
    throw error;
  }
}
const check = <T>(property: fc.IProperty<T>): void => fc.assert(property, BOXED);

describe('parsers that read the network, fuzzed (CW-08)', LIMIT, () => {
  it('settings file: a configuration, or an explanation', () => {
    const text = near(
      'port',
      'host',
      '=',
      ' ',
      '\n',
      '"',
      "'''",
      '[',
      ']',
      '{',
      '}',
      '4100',
      'true',
      '#',
      '.',
      '\\u',
    );
    check(
      fc.property(text, (toml) => {
        const readFile = (path: string) => (path.endsWith('tallygate.toml') ? toml : null);
        const options = { flags: {}, env: {}, cwd: '/nowhere', readFile };
        const loaded = refusesOnly(() => loadConfig(options), ConfigError);
        if (loaded !== null) expect(typeof loaded.config.port).toBe('number');
      }),
    );
  });

  it('event streams: any bytes cut anywhere leave every meter standing, with counts that are none or whole', () => {
    const events = near(
      'data: ',
      'event: message_delta\n',
      '\n\n',
      '\r\n\r\n',
      '\r',
      'data: [DONE]\n\n',
      '{"usage":{',
      '"input_tokens":',
      '"output_tokens":-1',
      '1e999',
      '}}',
      '"type":"message_start"',
      '{"choices":[{"delta":{}}]}',
      '"usageMetadata":{',
    );
    const flavors = ADAPTERS.flatMap((adapter) =>
      adapter.routes.filter(({ metered }) => metered).map(({ flavor }) => ({ adapter, flavor })),
    );
    check(
      fc.property(
        fc.constantFrom(...flavors),
        events,
        fc.array(fc.nat(200)),
        ({ adapter, flavor }, text, cuts) => {
          const meter = adapter.createMeter(flavor, { priceProvider: adapter.priceProvider });
          const tap = new SseTap(meter);
          const bytes = Buffer.from(text);
          const places = [0, ...cuts.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
          places.slice(1).forEach((end, index) => {
            tap.push(bytes.subarray(places[index], end));
          });
          meter.body(text);
          for (const count of Object.values(meter.usage()?.tokens ?? {}))
            expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
        },
      ),
    );
  });

  it('usage of answers: any JSON gives none or whole counts, from every provider', () => {
    const field = fc.constantFrom(
      'usage',
      'usageMetadata',
      'input_tokens',
      'output_tokens',
      'prompt_tokens',
      'completion_tokens',
      'total_tokens',
      'cache_creation',
      'prompt_tokens_details',
      'cached_tokens',
      'promptTokenCount',
      'candidatesTokenCount',
      '__proto__',
    );
    const value = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string({ maxLength: 5 }),
      fc.constant(null),
      fc.boolean(),
    );
    const { answer } = fc.letrec((tie) => ({
      answer: fc.dictionary(
        field,
        fc.oneof({ depthSize: 'small' }, value, tie('answer'), fc.array(value, { maxLength: 3 })),
        {
          maxKeys: 6,
        },
      ),
    }));
    check(
      fc.property(fc.constantFrom(...NORMALISERS), answer, (normaliser, body) => {
        for (const count of Object.values(normaliser.fromAnswer(body)?.tokens ?? {}))
          expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
      }),
    );
  });

  it('editing a body: one member changes, everything else stays as JSON reads it', () => {
    const spaced = fc
      .tuple(
        fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 })),
        fc.constantFrom(0, 1, '\t'),
      )
      .map(([value, space]) => JSON.stringify(value, null, space));
    check(
      fc.property(spaced, fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 1 }), (text, key, value) => {
        const edited = setMember(Buffer.from(text), key, JSON.stringify(value));
        const read = JSON.parse(edited.toString()) as Record<string, unknown>;
        const before = JSON.parse(text) as Record<string, unknown>;
        expect(JSON.stringify(Object.getOwnPropertyDescriptor(read, key)?.value)).toBe(JSON.stringify(value));
        for (const name of Object.keys(before))
          if (name !== key) expect(JSON.stringify(read[name])).toBe(JSON.stringify(before[name]));
      }),
    );
  });

  it('looking for a member in what is no JSON ends', () => {
    const broken = near('{', '}', '"model"', ':', ',', '"', '\\', '[', ']', '"a"', 'null', ' ');
    check(
      fc.property(broken, (text) => {
        const member = refusesOnly(() => findMember(Buffer.from(text), 'model'), SyntaxError);
        if (member !== null) expect(member.valueStart).toBeLessThanOrEqual(member.valueEnd);
      }),
    );
  });

  it('forwarded headers: the client is an address or unknown, never what the header made up', () => {
    const header = near(
      'for=',
      ';proto=https',
      ';host=',
      '"',
      '[2001:db8::1]',
      '203.0.113.9',
      ',',
      ' ',
      ':80',
      '_hidden',
      'unknown',
      '\\"',
      '127.0.0.1',
    );
    const proxies = createAddressSet(['127.0.0.1']);
    check(
      fc.property(header, fc.constantFrom('x-forwarded' as const, 'forwarded' as const), (text, family) => {
        const headers: IncomingHttpHeaders = {
          forwarded: text,
          'x-forwarded-for': text,
          'x-forwarded-proto': text,
          'x-forwarded-host': text,
          host: 'gate',
        };
        const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: '127.0.0.1' });
        const request = Object.assign(new IncomingMessage(socket), { headers });
        const { address } = readClient(request, { proxies, headers: family });
        expect(address === null || isIP(address.split('%')[0] ?? '') !== 0).toBe(true);
      }),
    );
  });

  it('limit headers of upstreams: times are numbers or unknown', () => {
    const value = near(
      '1',
      '.',
      '-',
      'e9',
      'm',
      's',
      'ms',
      '2026-01-01T00:00:00Z',
      'Thu, 01 Jan',
      'Infinity',
      'NaN',
      ',',
      ';w=',
      '%',
    );
    const name = fc.constantFrom(
      'retry-after',
      'retry-after-ms',
      'x-ratelimit-reset-requests',
      'x-ratelimit-remaining-tokens',
      'anthropic-ratelimit-unified-5h-reset',
      'anthropic-ratelimit-unified-status',
      'anthropic-ratelimit-input-tokens-limit',
    );
    check(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (headers) => {
        const facts = readLimitHeaders(headers.flat(), 1_800_000_000_000);
        for (const time of [facts.retryAtMs, facts.resetAtMs])
          expect(time === null || Number.isFinite(time)).toBe(true);
      }),
    );
  });

  it('cookies: nothing, or a token of the right form', () => {
    const header = near(
      'tallygate_session=',
      '__Host-tallygate_session=',
      ';',
      '; ',
      '=',
      '"',
      'A'.repeat(43),
      '%41',
      ',',
    );
    check(
      fc.property(header, fc.boolean(), (text, secure) => {
        const token = readSessionCookie(text, secure);
        expect(token === null || (typeof token === 'string' && !/[;\s]/.test(token))).toBe(true);
        readFlowCookie(text, secure);
      }),
    );
  });

  it('paths: a route is found only for a path that has the form of its row', () => {
    const routes = createDataRoutes(ADAPTERS);
    const path = near(
      '/',
      'v1',
      'v1beta',
      'messages',
      'models',
      'chat/completions',
      ':generateContent',
      '..',
      '%2f',
      '//',
      'anthropic',
      '\0',
      'gemini-2',
    );
    check(
      fc.property(path, fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'), (text, method) => {
        const row = routes.find(method, text, {});
        if (row === null) return;
        const model = '[A-Za-z0-9][A-Za-z0-9._-]{0,199}';
        const form = row.clientPath
          .split('{model}')
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        expect([row.method, new RegExp(`^${form.join(model)}$`).test(text)]).toEqual([method, true]);
      }),
    );
  });

  it('ranges of addresses: what the API takes, the limits can hold; what it refuses is no network', () => {
    const range = near(
      '10.',
      '0',
      '255',
      '.',
      '/',
      '8',
      '32',
      '33',
      '::',
      'ffff:',
      '2001:db8',
      ':',
      '128',
      '1',
    );
    check(
      fc.property(range, (text) => {
        parseNetwork(text);
        if (!addressRangeSchema.safeParse(text).success) return;
        expect(createAddressSet([text]).empty).toBe(false);
        const limits = compileCallerLimits({ addresses: [text], origins: [] });
        if (limits !== null)
          refusesOnly(() => assertCallerAllowed(limits, { address: text, origin: undefined }), AppError);
      }),
    );
  });

  it('tags, cursors, queries and bodies: read, or refused in our own words', () => {
    const text = near(',', 'team:a', ' ', 'MTIzLjQ', '.', '=', '&', 'a', '%41', '%', '+', '{', '}', '"', '[');
    check(
      fc.property(text, fc.uint8Array({ maxLength: 64 }), (input, bytes) => {
        const tags = refusesOnly(() => requestTags({ 'x-tallygate-tags': input }), AppError);
        if (tags !== null) expect(tags.length).toBeLessThanOrEqual(64);
        refusesOnly(() => parseCursor(input), AppError);
        refusesOnly(() => parseJsonBody(Buffer.from(input)), AppError);
        refusesOnly(() => parseJsonBody(Buffer.from(bytes)), AppError);
        expect(Object.getPrototypeOf(parseQuery(input))).toBeNull();
      }),
    );
  });

  it('a query of one name, ten thousand times, is read in one go', () => {
    const query = parseQuery('a=&'.repeat(20_000));
    expect(query.a).toHaveLength(20_000);
  });
});
