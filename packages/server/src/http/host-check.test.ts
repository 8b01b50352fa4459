import { describe, expect, it } from 'vitest';
import { assertHostAllowed, type HostPolicy } from './host-check.ts';

const loopback: HostPolicy = { namesOnly: true, allowedHosts: [] };

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

  const answered = (host: string, policy = loopback): boolean => {
    try {
      assertHostAllowed(host, policy);
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    'localhost',
    'LOCALHOST:4100',
    'localhost.',
    'app.localhost',
    '127.0.0.1',
    '127.0.0.1:65535',
    '127.255.255.254',
    '[::1]',
    '[::1]:4100',
  ])('answers under %s on loopback', (host) => expect(answered(host)).toBe(true));

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evillocalhost',
    'localhost.localdomain',
    '127.0.0.1.nip.io',
    '127.evil.example',
    '10.0.0.5',
    '192.168.1.5:4100',
    '128.0.0.1',
    '0.0.0.0',
    '[::2]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
  ])('answers nobody who asks for %s there: a page may make its own name lead here', (host) => {
    expect(answered(host)).toBe(false);
    expect(answered(host, { namesOnly: false, allowedHosts: [] })).toBe(true);
  });

  it('answers under the names that are set, whole, in any case and with any port, beside loopback', () => {
    const policy = { namesOnly: true, allowedHosts: ['Gate.Example'] };
    for (const host of ['gate.example', 'GATE.EXAMPLE:8443', 'gate.example.', '127.0.0.1'])
      expect([host, answered(host, policy)]).toEqual([host, true]);
    for (const host of [
      'x.gate.example',
      'gate.example.evil.example',
      'gate-example',
      'evilgate.example',
      'gate.exampl',
    ])
      expect([host, answered(host, policy)]).toEqual([host, false]);
  });
});
