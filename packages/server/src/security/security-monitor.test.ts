import type { IncomingMessage } from 'node:http';
import type { SecurityKind } from '@tallygate/contract/api/security';
import { ERROR_TABLE, type ErrorCode } from '@tallygate/contract/errors';
import { describe, expect, it } from 'vitest';
import { KEY_HEADERS } from '../kernel/key-headers.ts';
import { noteRefusal } from './note-refusal.ts';
import { createSecurityMonitor, type SecurityEvent } from './security-monitor.ts';

const clock = { ms: Date.UTC(2026, 10, 22, 12), now: () => clock.ms, monotonicMs: () => clock.ms };
const KEY = 'tg_abcdefgHIJKLMNOP';

describe('what the monitor sees (NX-10)', () => {
  it('is counted in all, and by address, key and host where they are known', () => {
    const monitor = createSecurityMonitor(clock);
    monitor.note({
      kind: 'unauthorized',
      address: '192.0.2.1',
      keyPrefix: 'tg_abcdefg',
      host: 'Gate.Example',
    });
    monitor.note({ kind: 'unauthorized', address: '192.0.2.1', keyPrefix: null, host: null });
    monitor.note({ kind: 'throttled' });
    const view = monitor.view();
    expect(view.hours.at(-1)?.counts).toMatchObject({ unauthorized: 2, throttled: 1 });
    expect(view.addresses.map(({ name, lastDay }) => [name, lastDay.unauthorized])).toEqual([
      ['192.0.2.1', 2],
    ]);
    expect(view.keyPrefixes.map(({ name }) => name)).toEqual(['tg_abcdefg']);
    expect(view.hosts.map(({ name }) => name)).toEqual(['gate.example']);
    expect([view.sinceMs, view.nowMs]).toEqual([clock.ms, clock.ms]);
  });

  it('takes a whole IPv6 network, and a mapped address, for the one they are', () => {
    const monitor = createSecurityMonitor(clock);
    for (const address of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '::ffff:192.0.2.1', '192.0.2.1', null])
      monitor.note({ kind: 'login_failed', address });
    expect(monitor.view().addresses.map(({ name, lastDay }) => [name, lastDay.login_failed])).toEqual(
      expect.arrayContaining([
        ['2001:db8:1:2::/64', 2],
        ['192.0.2.1', 2],
        ['unknown', 1],
      ]),
    );
  });

  it('keeps the newest fifty reports of browsers', () => {
    const monitor = createSecurityMonitor(clock);
    for (let i = 0; i < 60; i++)
      monitor.cspReport(
        { directive: 'script-src', blocked: `https://evil.example/${i}`, page: '/' },
        '192.0.2.1',
      );
    const { cspReports, hours } = monitor.view();
    expect([cspReports.length, cspReports[0]?.blocked, cspReports.at(-1)?.blocked]).toEqual([
      50,
      'https://evil.example/59',
      'https://evil.example/10',
    ]);
    expect(hours.at(-1)?.counts.csp_report).toBe(60);
  });
});

describe('which refusals tell something (NX-10)', () => {
  const noted = (
    code: ErrorCode,
    headers: IncomingMessage['headers'] | null,
    address: string | null = null,
  ) => {
    const events: SecurityEvent[] = [];
    const monitor = {
      ...createSecurityMonitor(clock),
      note: (event: SecurityEvent) => void events.push(event),
    };
    noteRefusal(monitor, code, headers === null ? null : ({ headers } as IncomingMessage), address);
    return events;
  };
  const COUNTED: Readonly<Partial<Record<ErrorCode, SecurityKind>>> = {
    invalid_credentials: 'login_failed',
    setup_code_invalid: 'login_failed',
    authentication_required: 'unauthorized',
    invalid_api_key: 'unauthorized',
    expired_api_key: 'unauthorized',
    permission_denied: 'forbidden',
    host_not_allowed: 'forbidden',
    csrf_failed: 'csrf_refused',
    login_throttled: 'throttled',
    rate_limited: 'throttled',
    egress_blocked: 'egress_blocked',
  };

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s', (code) => {
    expect(noted(code, {}).map(({ kind }) => kind)).toEqual(
      COUNTED[code] === undefined ? [] : [COUNTED[code]],
    );
  });

  it.each([...KEY_HEADERS, 'authorization'])('name a key of ours by its beginning, from %s', (name) => {
    const value = name === 'authorization' ? `Bearer ${KEY}` : KEY;
    const [event] = noted('invalid_api_key', { [name]: value, host: 'gate.example' }, '192.0.2.1');
    expect(event).toEqual({
      kind: 'unauthorized',
      address: '192.0.2.1',
      keyPrefix: 'tg_abcdefg',
      host: 'gate.example',
    });
    expect(JSON.stringify(event)).not.toContain('HIJKLMNOP');
  });

  it.each([
    'sk-ant-api03-secret-of-somebody',
    'tg_short',
    'Basic dGdfYWJjZGVmZw==',
    '',
    'Bearer',
    'x tg_abcdefgh',
  ])('say nothing of what is not ours: %j', (value) => {
    expect(noted('invalid_api_key', { authorization: value })[0]?.keyPrefix).toBeNull();
    expect(noted('invalid_api_key', { 'x-api-key': value })[0]?.keyPrefix).toBeNull();
  });

  it('are counted without particulars where the request is not known any more', () => {
    expect(noted('egress_blocked', null, '192.0.2.1')).toEqual([{ kind: 'egress_blocked' }]);
  });
});
