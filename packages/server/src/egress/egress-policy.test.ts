import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createEgressPolicy,
  type Destination,
  destinationOf,
  type EgressPolicy,
  type PrivateUpstreams,
} from './egress-policy.ts';

const policy = (privateUpstreams: PrivateUpstreams, allowed: string[] = []): EgressPolicy =>
  createEgressPolicy({ privateUpstreams, allowed });
const to = (origin: string, allowPrivate = false): Destination =>
  destinationOf(new URL(origin), allowPrivate);
const MODES: readonly PrivateUpstreams[] = ['accounts', 'listed', 'never'];

/** Whether a host is let through as it is written, and its address once it is known. */
const judge = (by: EgressPolicy, origin: string, allowPrivate = false) => {
  const destination = to(origin, allowPrivate);
  return { host: by.permitsHost(destination), private: by.mayBePrivate(destination) };
};

describe('destinationOf', () => {
  it.each([
    ['https://api.example.com', 'api.example.com', 443],
    ['http://api.example.com', 'api.example.com', 80],
    ['https://api.example.com:8443/v1', 'api.example.com', 8443],
    ['https://API.Example.COM', 'api.example.com', 443],
    ['http://2130706433', '127.0.0.1', 80],
    ['http://0x7f.1:99', '127.0.0.1', 99],
    ['http://0177.0.0.1', '127.0.0.1', 80],
    ['http://[::1]:8080', '[::1]', 8080],
    ['http://①②⑦.0.0.1', '127.0.0.1', 80],
  ])('%s goes to %s, port %i', (origin, hostname, port) => {
    expect(to(origin, true)).toEqual({ hostname, port, allowPrivate: true });
    expect(to(origin).allowPrivate).toBe(false);
  });
});

describe('addresses as they are written (TW-17)', () => {
  it.each(MODES)('public ones are nobody’s choice: %s', (mode) => {
    for (const allowPrivate of [true, false]) {
      expect(judge(policy(mode), 'https://8.8.8.8', allowPrivate).host).toBe(true);
      expect(judge(policy(mode), 'https://[2606:4700::1111]', allowPrivate).host).toBe(true);
    }
  });

  it.each([
    'http://127.0.0.1',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://192.168.1.1',
    'http://100.64.0.1',
    'http://[::1]',
    'http://[fd12::1]',
    'http://[::ffff:10.0.0.1]',
  ])('%s is the account’s to permit, where accounts may', (origin) => {
    const outcomes = MODES.map((mode) =>
      [false, true].map((allowPrivate) => judge(policy(mode), origin, allowPrivate).host),
    );
    expect(outcomes).toEqual([
      [false, true],
      [false, false],
      [false, false],
    ]);
  });

  it.each([
    'http://169.254.169.254',
    'http://100.100.100.200',
    'http://168.63.129.16',
    'http://0.0.0.0',
    'http://[fd00:ec2::254]',
    'http://[fe80::1]',
    'http://[::]',
    'http://[64:ff9b::7f00:1]',
    'http://224.0.0.1',
    'http://255.255.255.255',
  ])('%s is nobody’s to permit but a list’s that names its network', (origin) => {
    for (const mode of MODES) {
      expect(judge(policy(mode), origin, true).host).toBe(false);
      expect(judge(policy(mode, ['gpu.internal']), origin, true).host).toBe(false);
    }
    const { hostname } = new URL(origin);
    expect(judge(policy('never', [hostname.replace(/[[\]]/g, '')]), origin).host).toBe(true);
  });
});

describe('names as they are written (TW-17)', () => {
  it.each([
    'http://localhost',
    'http://localhost.',
    'http://LOCALHOST',
    'http://db',
    'http://db.',
    'https://notlocal',
    'http://a.localhost',
    'http://gpu.internal',
    'http://metadata.google.internal',
    'http://printer.local',
    'http://nas.home.arpa',
    'http://home.arpa',
    'http://x.localdomain',
  ])('%s is a name of this machine or network', (origin) => {
    expect(judge(policy('accounts'), origin)).toEqual({ host: false, private: false });
    expect(judge(policy('accounts'), origin, true)).toEqual({ host: true, private: true });
    expect(judge(policy('listed'), origin, true)).toEqual({ host: false, private: false });
    expect(judge(policy('never'), origin, true)).toEqual({ host: false, private: false });
  });

  it.each(['https://api.example.com', 'https://localhost.example.com', 'https://evillocalhost.io'])(
    '%s is looked up before anything is said of it',
    (origin) => {
      expect(judge(policy('never'), origin)).toEqual({ host: true, private: false });
    },
  );

  it('lead into a network that the list names, whatever they are: then the address decides', () => {
    const listed = policy('listed', ['10.0.0.0/8']);
    expect(judge(listed, 'http://db').host).toBe(true);
    expect(listed.permitsAddress('10.9.9.9', to('http://db'))).toBe(true);
    expect(listed.permitsAddress('192.168.1.1', to('http://db'))).toBe(false);
    expect(listed.permitsAddress('127.0.0.1', to('http://db', true))).toBe(false);
  });
});

describe('the list (TW-17)', () => {
  it('names hosts with and without port, in any spelling, and no other', () => {
    const listed = policy('listed', ['gpu.internal:8000', 'ollama.internal', '[::1]:11434']);
    expect(judge(listed, 'http://gpu.internal:8000').host).toBe(true);
    expect(judge(listed, 'http://GPU.internal.:8000').host).toBe(true);
    expect(judge(listed, 'http://gpu.internal:8001').host).toBe(false);
    expect(judge(listed, 'http://gpu.internal').host).toBe(false);
    expect(judge(listed, 'http://x.gpu.internal:8000').host).toBe(false);
    expect(judge(listed, 'http://ollama.internal:1').host).toBe(true);
    expect(judge(listed, 'http://[::1]:11434').host).toBe(true);
    expect(judge(listed, 'http://[::1]:11435').host).toBe(false);
    expect(judge(listed, 'http://127.0.0.1:11434').host).toBe(false);
  });

  it('a named host may have a private address, and still none of a link or a cloud’s metadata', () => {
    const listed = policy('listed', ['gpu.internal']);
    const gpu = to('http://gpu.internal');
    expect(listed.permitsAddress('192.168.7.7', gpu)).toBe(true);
    expect(listed.permitsAddress('169.254.169.254', gpu)).toBe(false);
    expect(listed.permitsAddress('100.100.100.200', gpu)).toBe(false);
    expect(listed.permitsAddress('192.168.7.7', to('http://other.example'))).toBe(false);
  });

  it('a named network permits its addresses to all, and none beside it', () => {
    const listed = policy('never', ['10.1.0.0/16', '192.168.5.5', 'fd12::/32']);
    for (const address of ['10.1.0.0', '10.1.255.255', '192.168.5.5', 'fd12:0:9::1', '::ffff:10.1.2.3'])
      expect([address, listed.permitsAddress(address, to('https://x.example'))]).toEqual([address, true]);
    for (const address of ['10.0.255.255', '10.2.0.0', '192.168.5.6', 'fd13::1', '::ffff:10.2.2.3', ''])
      expect([address, listed.permitsAddress(address, to('https://x.example', true))]).toEqual([
        address,
        false,
      ]);
    expect(judge(listed, 'http://10.1.2.3')).toEqual({ host: true, private: true });
    expect(judge(listed, 'http://10.2.2.3')).toEqual({ host: false, private: false });
  });

  it('does not count what is written wrongly, and lets nothing through because of it', () => {
    const odd = policy('listed', [
      '',
      '*',
      '*.internal',
      'http://gpu.internal',
      'gpu internal',
      'gpu:0',
      'gpu:70000',
    ]);
    for (const origin of ['http://gpu.internal', 'http://gpu', 'http://10.0.0.1', 'http://a.internal'])
      expect([origin, judge(odd, origin, true).host]).toEqual([origin, false]);
  });
});

describe('plain http (TW-17)', () => {
  it('is a choice only where the destination may be private', () => {
    expect(judge(policy('accounts'), 'http://api.example.com').private).toBe(false);
    expect(judge(policy('accounts'), 'http://api.example.com', true).private).toBe(true);
    expect(judge(policy('listed', ['api.example.com']), 'http://api.example.com').private).toBe(true);
    expect(judge(policy('listed', ['api.example.com:8080']), 'http://api.example.com').private).toBe(false);
    expect(judge(policy('listed'), 'http://api.example.com', true).private).toBe(false);
  });
});

it('nothing is permitted without an address list or an account’s word that is not public (TW-17)', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.constantFrom(...MODES), (address, mode) => {
      const strict = policy(mode);
      const written = address.includes(':') ? `[${address}]` : address;
      if (!URL.canParse(`http://${written}/`)) return;
      const destination = to(`http://${written}/`);
      const open = policy('never', ['0.0.0.0/0', '::/0']);
      expect(open.permitsHost(destination)).toBe(true); // an operator may name everything
      if (strict.permitsHost(destination)) expect(strict.permitsAddress(address, destination)).toBe(true);
      expect(strict.permitsHost(destination)).toBe(policy('never').permitsHost(destination));
    }),
  );
});
