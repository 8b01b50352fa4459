import { describe, expect, it } from 'vitest';
import { assertHostAllowed } from './host-check.ts';

const loopback = { namesOnly: true, allowedHosts: [] };

describe('assertHostAllowed', () => {
  it.each([
    undefined,
    '',
    ' ',
    'a b',
    'localhost:',
    'localhost:x',
    'local\u0000host',
    '[::1',
    'http://localhost',
  ])('refuses the malformed %j, bound to loopback or not', (host) => {
    expect(() => assertHostAllowed(host, loopback)).toThrow(/host name/);
    expect(() => assertHostAllowed(host, { namesOnly: false, allowedHosts: [] })).toThrow(/host name/);
  });
});
