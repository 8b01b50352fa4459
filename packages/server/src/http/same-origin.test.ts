import { describe, expect, it } from 'vitest';
import type { AppError } from '../kernel/errors.ts';
import type { ClientView } from './request-marks.ts';
import { assertSameOrigin } from './same-origin.ts';

const view = (change: Partial<ClientView> = {}): ClientView => ({
  address: '192.0.2.1',
  secure: true,
  proxied: false,
  host: 'gate.example',
  ...change,
});
function verdict(headers: Record<string, string>, client = view()): string {
  try {
    assertSameOrigin(headers, client);
    return 'in';
  } catch (error) {
    return (error as AppError).code;
  }
}

describe('writes of pages (TW-15)', () => {
  it('of our own page pass, and those of clients that are no browsers', () => {
    expect(verdict({})).toBe('in');
    expect(verdict({ origin: 'https://gate.example' })).toBe('in');
    expect(verdict({ origin: 'https://gate.example', 'sec-fetch-site': 'same-origin' })).toBe('in');
    expect(verdict({ 'sec-fetch-site': 'none' })).toBe('in');
  });

  it.each(['cross-site', 'same-site', '', 'SAME-ORIGIN', 'same-origin, cross-site'])(
    'that the browser calls %j do not, whatever their origin says',
    (site) => {
      expect(verdict({ 'sec-fetch-site': site, origin: 'https://gate.example' })).toBe('csrf_failed');
    },
  );

  it.each([
    'https://evil.example',
    'https://gate.example.evil.example',
    'https://evil-gate.example',
    'https://sub.gate.example',
    'https://gate.example:8443',
    'https://user@evil.example',
    'http://gate.example',
    'null',
    '',
    'gate.example',
    'https://',
    'https://gate.example, https://evil.example',
  ])('of the origin %j do not', (origin) => expect(verdict({ origin })).toBe('csrf_failed'));

  it('are compared with host and port as they were asked for', () => {
    const at = (host: string, origin: string, change: Partial<ClientView> = {}) =>
      verdict({ origin }, view({ host, ...change }));
    expect(at('GATE.example:8443', 'https://gate.example:8443')).toBe('in');
    expect(at('gate.example:8443', 'https://gate.example')).toBe('csrf_failed');
    expect(at('gate.example:443', 'https://gate.example')).toBe('in');
    expect(at('gate.example:80', 'https://gate.example')).toBe('csrf_failed');
    expect(at('gate.example:80', 'http://gate.example', { secure: false, proxied: true })).toBe('in');
    expect(at('gate.example:443', 'http://gate.example', { secure: false, proxied: true })).toBe(
      'csrf_failed',
    );
    expect(verdict({ origin: 'https://gate.example' }, view({ host: undefined }))).toBe('csrf_failed');
  });

  it('have the scheme of the connection wherever it is known, and any where an untrusted proxy may end TLS', () => {
    const plain = view({ secure: false });
    const told = view({ secure: false, proxied: true });
    const schemes = ['https://gate.example', 'http://gate.example'];
    expect(schemes.map((origin) => verdict({ origin }, view()))).toEqual(['in', 'csrf_failed']);
    expect(schemes.map((origin) => verdict({ origin }, told))).toEqual(['csrf_failed', 'in']);
    expect(schemes.map((origin) => verdict({ origin }, plain))).toEqual(['in', 'in']);
  });
});
