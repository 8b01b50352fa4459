import { describe, expect, it } from 'vitest';
import { originsOf, relyingPartyOf, type VisitedSite } from './relying-party.ts';

const site = (change: Partial<VisitedSite>): VisitedSite => ({
  host: 'gate.example',
  secure: false,
  proxied: false,
  pageOrigin: null,
  ...change,
});

describe('the origins of a visited site (CF-13, WebAuthn §13.4.9)', () => {
  it('are https where the connection is encrypted, and nothing else', () => {
    expect(originsOf(site({ secure: true }))).toEqual(['https://gate.example']);
    expect(originsOf(site({ secure: true, proxied: true }))).toEqual(['https://gate.example']);
  });

  it('are http where a trusted proxy says so, and both where nobody knows', () => {
    expect(originsOf(site({ proxied: true }))).toEqual(['http://gate.example']);
    expect(originsOf(site({}))).toEqual(['http://gate.example', 'https://gate.example']);
  });

  it('narrow down to what the browser says, where that is one of them', () => {
    expect(originsOf(site({ pageOrigin: 'https://gate.example' }))).toEqual(['https://gate.example']);
    expect(originsOf(site({ pageOrigin: 'http://gate.example' }))).toEqual(['http://gate.example']);
  });

  it.each([
    'https://evil.example',
    'https://gate.example.evil.example',
    'https://gate.example:444',
    'https://gate.example/',
    'http://gate.example',
    'null',
    '',
  ])('never become what the browser says beside: %j', (pageOrigin) => {
    expect(originsOf(site({ secure: true, pageOrigin }))).toEqual(['https://gate.example']);
  });

  it('have a port where the address has one that is not the scheme’s own', () => {
    expect(originsOf(site({ secure: true, host: 'gate.example:8443' }))).toEqual([
      'https://gate.example:8443',
    ]);
    expect(originsOf(site({ secure: true, host: 'gate.example:443' }))).toEqual(['https://gate.example']);
    expect(originsOf(site({ proxied: true, host: 'GATE.example:80' }))).toEqual(['http://gate.example']);
  });

  it.each([undefined, '', ' ', 'a b', '[::1', 'gate.example:port'])('are none for %j', (host) => {
    expect(originsOf(site({ host, secure: true }))).toEqual([]);
  });
});

describe('whom a passkey is made for (CF-13, WebAuthn §5.4.2)', () => {
  it('is the host name without its port', () => {
    expect(relyingPartyOf(site({ secure: true, host: 'gate.example:8443' }))).toEqual({
      rpId: 'gate.example',
      origins: ['https://gate.example:8443'],
    });
    expect(relyingPartyOf(site({ host: 'localhost:4100' }))).toEqual({
      rpId: 'localhost',
      origins: ['http://localhost:4100', 'https://localhost:4100'],
    });
  });

  it.each(['127.0.0.1', '127.0.0.1:4100', '[::1]', '[::1]:4100', '10.0.0.5', '2130706433', undefined, ''])(
    'is nobody under %s: browsers make none for an address',
    (host) => {
      expect(() => relyingPartyOf(site({ host }))).toThrow(/belong to a host name/);
    },
  );
});
