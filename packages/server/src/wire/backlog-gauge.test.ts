import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registerBacklogGauge } from './backlog-gauge.ts';

describe('the metric of what the ledger has not written yet (WT-14)', () => {
  it('says how many rows there are each time it is asked', async () => {
    const registry = new Registry();
    let rows = 0;
    registerBacklogGauge(registry, () => rows);
    const shown = async () => /^tallygate_ledger_backlog_rows (\S+)$/m.exec(await registry.metrics())?.[1];
    expect(await shown()).toBe('0');
    rows = 1234;
    expect(await shown()).toBe('1234');
  });
});
