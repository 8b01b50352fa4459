import { describe, expect, it } from 'vitest';
import { KEY_HEADERS } from '../../kernel/key-headers.ts';
import { editedHeaders, upstreamHeaders } from './upstream-headers.ts';

const CREDENTIAL = ['x-api-key', 'upstream-credential'];

function sent(rawHeaders: string[], options: Partial<Parameters<typeof upstreamHeaders>[1]> = {}): string[] {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers[(rawHeaders[i] ?? '').toLowerCase()] = rawHeaders[i + 1] ?? '';
  return upstreamHeaders(
    { rawHeaders, headers },
    { credentialHeaders: CREDENTIAL, ownKey: false, plainAnswer: false, edits: null, ...options },
  );
}

describe('what an upstream gets of a client’s headers (CF-01, NX-05)', () => {
  it('is the same, in order, case and number, with the account’s credential behind it', () => {
    const raw = [
      'User-Agent',
      'sdk',
      'anthropic-version',
      '2023-06-01',
      'X-A',
      '1',
      'x-a',
      '2',
      'Accept',
      '*/*',
    ];
    expect(sent(raw)).toEqual([...raw, ...CREDENTIAL]);
  });

  it.each([
    ...KEY_HEADERS,
    'authorization',
    'Authorization',
    'api-key',
    'cookie',
    'Cookie',
    'proxy-authorization',
    'x-tallygate-tags',
  ])('has nothing of %s: what opens the gate stays at the gate', (name) => {
    expect(sent([name, 'tg_secret'])).toEqual(CREDENTIAL);
  });

  it.each(['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'host'])(
    'has nothing of %s, which belongs to the connection',
    (name) => {
      expect(sent([name.toUpperCase(), 'x'])).toEqual(CREDENTIAL);
    },
  );

  it.each([
    ['Forwarded', 'for=10.1.2.3;host=gate.internal'],
    ['Via', '1.1 proxy.internal'],
    ['X-Forwarded-For', '10.1.2.3'],
    ['X-Forwarded-Host', 'gate.internal'],
    ['X-Forwarded-Port', '8443'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Server', 'proxy.internal'],
    ['X-Client-IP', '10.1.2.3'],
    ['X-Real-IP', '10.1.2.3'],
    ['True-Client-IP', '10.1.2.3'],
    ['CF-Connecting-IP', '10.1.2.3'],
  ])(
    'has nothing of %s: who the client is, and what stands before the gate, is not the provider’s business',
    (name, value) => {
      expect(sent([name, value])).toEqual(CREDENTIAL);
    },
  );

  it.each(['OpenAI-Organization', 'OpenAI-Project', 'X-Goog-User-Project'])(
    'has %s only beside a key that the client brings, or from a rule: it names who pays',
    (name) => {
      expect(sent([name, 'the-client'])).toEqual(CREDENTIAL);
      expect(sent([name, 'the-client'], { ownKey: true })).toEqual([name, 'the-client', ...CREDENTIAL]);
      const edits = { removed: new Set([name.toLowerCase()]), set: [name, 'ours'] };
      expect(sent([name, 'the-client'], { edits })).toEqual([name, 'ours', ...CREDENTIAL]);
    },
  );

  it.each([
    'X-HTTP-Method',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'X-Original-URL',
    'X-Rewrite-URL',
  ])('has nothing of %s, which asks for another call than the one that was permitted', (name) => {
    expect(sent([name, '/v1/files'])).toEqual(CREDENTIAL);
  });

  it('leaves out what the client’s Connection header names, in any case, and nothing else', () => {
    const raw = ['Connection', 'keep-alive, X-Hop , x-OTHER', 'x-hop', '1', 'X-Other', '2', 'x-kept', '3'];
    expect(sent(raw)).toEqual(['x-kept', '3', ...CREDENTIAL]);
  });

  it('cannot have the credential taken out by the client’s Connection header', () => {
    expect(sent(['connection', 'x-api-key, authorization'])).toEqual(CREDENTIAL);
  });

  it('asks for an answer as it is where something has to be taken out of it', () => {
    const raw = ['Accept-Encoding', 'gzip', 'accept', '*/*'];
    expect(sent(raw, { plainAnswer: true })).toEqual(['accept', '*/*', ...CREDENTIAL]);
    expect(sent(raw)).toEqual([...raw, ...CREDENTIAL]);
  });

  it('follows a rule: what it removes goes, what it sets comes before the credential', () => {
    const edits = { removed: new Set(['anthropic-beta']), set: ['x-team', 'a'] };
    expect(sent(['Anthropic-Beta', 'b', 'x', '1'], { edits })).toEqual([
      'x',
      '1',
      'x-team',
      'a',
      ...CREDENTIAL,
    ]);
    expect(editedHeaders(['X-Keep', '1', 'Anthropic-Beta', 'b'], edits)).toEqual([
      'X-Keep',
      '1',
      'x-team',
      'a',
    ]);
  });
});
