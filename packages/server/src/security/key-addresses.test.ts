import { eventually } from '@tallygate/testkit/eventually';
import { describe, expect, it } from 'vitest';
import type { AuditDraft, AuditEntry } from '../store/ports/audit.ts';
import { createKeyAddressWatch } from './key-addresses.ts';
import { createSecurityMonitor } from './security-monitor.ts';

const clock = { ms: Date.UTC(2026, 10, 22, 12), now: () => clock.ms, monotonicMs: () => clock.ms };

/** A log in memory that can be held up, or fail. */
function world() {
  const entries: AuditDraft[] = [];
  const asked: string[] = [];
  const warnings: string[] = [];
  const known = new Map<string, Set<string>>();
  const state = { fails: 0, gate: Promise.resolve() };
  const monitor = createSecurityMonitor(clock);
  const log = (message: string): void => void warnings.push(message);
  const watch = createKeyAddressWatch({
    monitor,
    clock,
    logger: { debug: log, info: log, warn: log, error: log },
    audit: {
      noteKeyAddress: async (keyId, address) => {
        asked.push(`${keyId} ${address}`);
        await state.gate;
        if (state.fails-- > 0) throw new Error('the store is away');
        const mine = known.get(keyId);
        if (mine?.has(address)) return 'known';
        known.set(keyId, new Set([...(mine ?? []), address]));
        return mine === undefined ? 'first' : 'another';
      },
      append: async (draft) => {
        entries.push(draft);
        return draft as AuditEntry;
      },
    },
  });
  const newAddresses = (): number => monitor.view().hours.at(-1)?.counts.new_key_address ?? 0;
  const until = (count: number) => eventually(`${count} entries`, () => entries.length === count);
  return { watch, entries, asked, warnings, state, newAddresses, until };
}

describe('where keys are used from (CF-13)', () => {
  it('the first address is recorded and nothing to look at; another one is', async () => {
    const { watch, entries, newAddresses, until } = world();
    watch.seen('k1', '192.0.2.1');
    await until(1);
    expect(newAddresses()).toBe(0);
    watch.seen('k1', '192.0.2.2');
    await until(2);
    expect(newAddresses()).toBe(1);
    expect(entries[1]).toMatchObject({
      action: 'key.new_address',
      actorKind: 'key',
      actorId: 'k1',
      resourceId: 'k1',
      address: '192.0.2.2',
      atMs: clock.ms,
    });
  });

  it('an address that is known is not asked for again', async () => {
    const { watch, asked, until } = world();
    for (let i = 0; i < 100; i++) watch.seen('k1', '192.0.2.1');
    await until(1);
    for (let i = 0; i < 100; i++) watch.seen('k1', '192.0.2.1');
    watch.seen('k1', null);
    expect(asked).toEqual(['k1 192.0.2.1']);
  });

  it('is kept for each key by itself', async () => {
    const { watch, asked, newAddresses, until } = world();
    watch.seen('k1', '192.0.2.1');
    watch.seen('k2', '192.0.2.1');
    await until(2);
    expect([asked.length, newAddresses()]).toEqual([2, 0]);
  });

  it('a privacy address within the same IPv6 network is no other place', async () => {
    const { watch, asked, entries, until } = world();
    watch.seen('k1', '2001:db8:1:2::1');
    await until(1);
    watch.seen('k1', '2001:db8:1:2::2');
    await eventually('it was asked', () => asked.length === 2);
    expect(asked[1]).toBe('k1 2001:db8:1:2::/64');
    expect(entries).toHaveLength(1);
  });

  it('what could not be recorded is tried again at the next use', async () => {
    const { watch, asked, warnings, state, until } = world();
    state.fails = 1;
    watch.seen('k1', '192.0.2.1');
    await eventually('it failed', () => warnings.length === 1);
    await eventually('it is tried again', () => {
      watch.seen('k1', '192.0.2.1');
      return asked.length === 2;
    });
    await until(1);
  });

  it('a flood of addresses is a bounded number of writes at once', async () => {
    const { watch, asked, state } = world();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    for (let i = 0; i < 1_000; i++) watch.seen('k1', `10.0.${i >> 8}.${i & 255}`);
    expect(asked).toHaveLength(50);
    gate.resolve();
    await eventually('there is room again', () => {
      watch.seen('k1', '10.9.9.9');
      return asked.includes('k1 10.9.9.9');
    });
  });
});
