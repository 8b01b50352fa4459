import { createHash } from 'node:crypto';
import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import { describe, expect, it } from 'vitest';
import type { AppError } from '../../kernel/errors.ts';
import { KEY_HEADERS } from '../../kernel/key-headers.ts';
import type { GateSnapshot, KeyEntry } from '../snapshot.ts';
import { authenticate } from './authenticate.ts';

const NOW_MS = 1_000_000;
const KEY = 'tg_the-right-key';
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const entry = (change: Partial<KeyEntry> = {}): KeyEntry =>
  ({
    id: 'k1',
    workspaceId: 'w1',
    scopes: new Set<KeyScope>(['gateway']),
    expiresAtMs: null,
    workspaceClients: null,
    limits: null,
    ...change,
  }) as KeyEntry;
const snapshotOf = (change: Partial<GateSnapshot> = {}, key = entry()): GateSnapshot =>
  ({ keys: new Map([[digest(KEY), key]]), open: null, domains: null, ...change }) as GateSnapshot;

interface Asked {
  snapshot?: GateSnapshot;
  headers?: Record<string, string>;
  inQuery?: string[];
  scope?: KeyScope;
  address?: string | null;
}
function ask({
  snapshot = snapshotOf(),
  headers = {},
  inQuery = [],
  scope = 'gateway',
  address = '192.0.2.1',
}: Asked): string {
  try {
    const request = { headers, inQuery, scope, nowMs: NOW_MS, address: () => address };
    return authenticate(snapshot, request).id;
  } catch (error) {
    return (error as AppError).code;
  }
}
const withKey = { 'x-api-key': KEY };

describe('whose key it is (CW-07, TW-05)', () => {
  it.each(KEY_HEADERS)('may come in %s', (name) => expect(ask({ headers: { [name]: KEY } })).toBe('k1'));

  it('may come as a bearer, in any case of the word, and in the query where the dialect has that', () => {
    for (const word of ['Bearer', 'bearer', 'BEARER  '])
      expect(ask({ headers: { authorization: `${word} ${KEY}` } })).toBe('k1');
    expect(ask({ inQuery: [KEY] })).toBe('k1');
  });

  it.each([
    ['nothing', {}],
    ['nothing that is a bearer', { authorization: `Basic ${KEY}` }],
    ['a bearer of two words', { authorization: `Bearer ${KEY} x` }],
    ['an empty header', { 'x-api-key': '' }],
  ])('is asked for where there is %s', (_what, headers) => {
    expect(ask({ headers: headers as Record<string, string> })).toBe('authentication_required');
  });

  it.each([`${KEY}x`, KEY.slice(1), KEY.toUpperCase(), digest(KEY), ` ${KEY}`, '__proto__'])(
    'is nobody’s: %j',
    (key) => {
      expect(ask({ headers: { 'x-api-key': key } })).toBe('invalid_api_key');
    },
  );

  it('is not hashed when it is longer than any key: 512 characters are looked up, 513 are not', () => {
    const long = 'x'.repeat(513);
    const keys = new Map([long, long.slice(1)].map((text) => [digest(text), entry()]));
    const snapshot = snapshotOf({ keys });
    expect(ask({ snapshot, headers: { 'x-api-key': long.slice(1) } })).toBe('k1');
    expect(ask({ snapshot, headers: { 'x-api-key': long } })).toBe('invalid_api_key');
  });

  it('is one: the same twice is fine, two different ones are refused wherever they stand', () => {
    const bearer = { authorization: `Bearer ${KEY}` };
    expect(ask({ headers: { ...bearer, ...withKey }, inQuery: [KEY] })).toBe('k1');
    for (const asked of [
      { headers: { ...bearer, 'x-api-key': 'other' } },
      { headers: { ...withKey, 'x-goog-api-key': 'other' } },
      { headers: withKey, inQuery: ['other'] },
      { inQuery: [KEY, 'other'] },
    ])
      expect(ask(asked)).toBe('invalid_api_key');
  });
});

describe('what the key is for (WT-04)', () => {
  it.each(KEY_SCOPES)('a key with the scope %s alone gets in where that is asked for', (scope) => {
    const snapshot = snapshotOf({}, entry({ scopes: new Set([scope]) }));
    for (const asked of KEY_SCOPES)
      expect([asked, ask({ snapshot, headers: withKey, scope: asked })]).toEqual([
        asked,
        asked === scope ? 'k1' : 'permission_denied',
      ]);
  });

  it('ends with its time, to the millisecond', () => {
    const at = (expiresAtMs: number) =>
      ask({ snapshot: snapshotOf({}, entry({ expiresAtMs })), headers: withKey });
    expect([at(NOW_MS + 1), at(NOW_MS), at(0)]).toEqual(['k1', 'expired_api_key', 'expired_api_key']);
  });

  it('holds where its workspace’s clients may come from, and nowhere if that is not known', () => {
    const workspaceClients = { empty: false, has: (address: string) => address === '192.0.2.1' };
    const snapshot = snapshotOf({}, entry({ workspaceClients }));
    expect(ask({ snapshot, headers: withKey })).toBe('k1');
    for (const address of ['192.0.2.2', '', null])
      expect(ask({ snapshot, headers: withKey, address })).toBe('client_not_allowed');
  });
});

describe('domains (NX-05)', () => {
  const domains = new Map([
    ['one.example', 'w1'],
    ['two.example', 'w2'],
  ]);
  const at = (host: string): string =>
    ask({ snapshot: snapshotOf({ domains }), headers: { ...withKey, host } });

  it('a key is good under its own domain, in any case and with a port, and under names that are nobody’s', () => {
    for (const host of ['one.example', 'ONE.example:8443', 'other.example', 'x.two.example', ''])
      expect([host, at(host)]).toEqual([host, 'k1']);
  });

  it('and under no other’s', () => {
    for (const host of ['two.example', 'TWO.example', 'two.example:443'])
      expect([host, at(host)]).toEqual([host, 'invalid_api_key']);
  });
});

describe('without keys (NX-02)', () => {
  const snapshot = snapshotOf({ open: entry({ id: 'open' }) });
  const here = { host: '127.0.0.1:4100' };

  it.each(['127.0.0.1', '127.1.2.3:1', 'localhost', 'LOCALHOST:4100', '[::1]', '[::1]:4100'])(
    'programs of this machine get in under %s',
    (host) => expect(ask({ snapshot, headers: { host } })).toBe('open'),
  );

  it.each<[string, Record<string, string>]>([
    ['another name', { host: 'evil.example' }],
    ['a name that only begins like this machine', { host: 'localhost.evil.example' }],
    ['an address that only begins like it', { host: '127.0.0.1.nip.io' }],
    ['no name', {}],
    ['a page', { ...here, origin: 'http://127.0.0.1:4100' }],
    ['a page that hides where it is from', { ...here, origin: 'null' }],
    ['a page of another site', { ...here, 'sec-fetch-site': 'cross-site' }],
    ['a page of this site', { ...here, 'sec-fetch-site': 'same-origin' }],
    ['a proxy', { ...here, 'x-forwarded-for': '192.0.2.1' }],
    ['a proxy of the other kind', { ...here, forwarded: 'for=192.0.2.1' }],
  ])('%s needs a key', (_who, headers) => {
    expect(ask({ snapshot, headers })).toBe('authentication_required');
    expect(ask({ snapshot, headers: { ...headers, ...withKey } })).toBe('k1');
  });

  it('a wrong key is not looked at as none, where keys are asked for', () => {
    expect(ask({ headers: { ...here, 'x-api-key': 'wrong' } })).toBe('invalid_api_key');
  });
});
