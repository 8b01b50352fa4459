import { describe, expect, it } from 'vitest';
import { findingsOf } from './findings.ts';
import { createSecurityMonitor } from './security-monitor.ts';

function world() {
  const clock = { ms: Date.UTC(2026, 10, 22, 12, 59), now: () => clock.ms, monotonicMs: () => clock.ms };
  const monitor = createSecurityMonitor(clock);
  const rules = () => findingsOf(monitor.view(), []).map((finding) => finding.rule);
  return { clock, monitor, rules };
}
const times = (count: number, act: () => void): void => {
  for (let index = 0; index < count; index++) act();
};

describe('findings (NX-10)', () => {
  it('says nothing of ten failures from one address, and something of eleven, also around the full hour', () => {
    const { clock, monitor, rules } = world();
    times(6, () => monitor.note({ kind: 'login_failed', address: '192.0.2.1', host: 'gate.example' }));
    clock.ms += 120_000;
    times(4, () => monitor.note({ kind: 'unauthorized', address: '192.0.2.1', host: 'gate.example' }));
    expect(rules()).toEqual([]);
    monitor.note({ kind: 'unauthorized', address: '192.0.2.1' });
    expect(rules()).toEqual(['failed_by_address']);
    clock.ms += 3 * 3_600_000;
    expect(rules()).toEqual([]);
  });

  it('counts a whole IPv6 network as one, and finds many addresses by the host they ask for', () => {
    let next = 1;
    const one = world();
    times(11, () =>
      one.monitor.note({ kind: 'login_failed', address: `2001:db8::${(next++).toString(16)}` }),
    );
    expect(one.rules()).toEqual(['failed_by_address']);
    const many = world();

    times(11, () =>
      many.monitor.note({ kind: 'login_failed', address: `192.0.2.${next++}`, host: 'Gate.Example' }),
    );
    expect(many.rules()).toEqual(['failed_by_host']);
  });

  it('is critical when there are very many, and stays bounded', () => {
    const { clock, monitor } = world();
    times(200, () => monitor.note({ kind: 'unauthorized', address: '198.51.100.7' }));
    for (let index = 0; index < 5_000; index++)
      monitor.note({ kind: 'unauthorized', address: `10.${index >> 8}.${index & 255}.1` });
    const view = monitor.view();
    expect(view.addresses[0]?.name).toBe('198.51.100.7');
    expect(view.addresses).toHaveLength(50);
    expect(findingsOf(view, [])[0]).toMatchObject({ severity: 'critical' });
    clock.ms += 24 * 3_600_000;
    expect(monitor.view().addresses).toEqual([]);
    expect(monitor.view().hours.every((hour) => hour.counts.unauthorized === 0)).toBe(true);
  });

  it('names a key and the whole when they use more than twice their daily average', () => {
    const { monitor } = world();
    const pace = (keyName: string | null, lastDayTokens: number, dailyAverageTokens: number) => ({
      keyName,
      lastDayTokens,
      dailyAverageTokens,
    });
    const found = findingsOf(monitor.view(), [
      pace(null, 100_000, 49_000),
      pace('laptop', 100_000, 50_000),
      pace('ci', 30_000, 10_000),
      pace('small', 9_000, 10),
      pace('new', 90_000, 0),
    ]);
    expect(found.map((finding) => finding.message.split(' used ')[0])).toEqual([
      'All keys together',
      'The key “ci”',
    ]);
  });
});
