import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Names of the threads of a process, each with how far below the main thread it is. */
function steps(pid: number): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const name = readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim();
    const below = getPriority(Number(task)) - getPriority(pid);
    found.set(name, [...(found.get(name) ?? []), below]);
  }
  return found;
}

describe.skipIf(process.platform !== 'linux')('who comes first when threads want the same core', () => {
  let gate: Gate;
  beforeAll(async () => {
    gate = await startGate();
  });
  afterAll(() => gate.stop());

  it('is the event loop, and last the ledger', () => {
    const found = steps(gate.pid);
    // The event loop waits for V8's helper at the end of a collection, so that has no less.
    expect(found.get('V8Worker')).toEqual([0]);
    expect(found.get('ledger')).toEqual([19 - getPriority(gate.pid)]);
    expect(found.get('MainThread')).toEqual([0]);
  });
});
