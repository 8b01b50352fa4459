import { eventually } from '@tallygate/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { followChanges } from './follow-changes.ts';

const NEVER_MS = 3_600_000;

function world(everyMs: number) {
  const turns = { config: 1, ledger: 1 };
  const seen = { reads: 0, config: 0, ledger: 0 };
  const fail = { reading: false, taking: false };
  let gate: Promise<void> = Promise.resolve();
  const following = followChanges({
    config: {
      async readTurns() {
        seen.reads++;
        if (fail.reading) throw new Error('away');
        const now = { ...turns };
        await gate;
        return now;
      },
    },
    logger: silentLogger,
    everyMs,
    async onConfig() {
      if (fail.taking) throw new Error('not now');
      seen.config++;
    },
    onLedger: () => void seen.ledger++,
  });
  return {
    ...{ turns, seen, fail, following },
    hold: () => {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return held.resolve;
    },
  };
}

describe('following what other nodes change (X-08)', () => {
  let running: ReturnType<typeof world> | null = null;
  afterEach(() => running?.following.stop());
  const start = (everyMs: number) => {
    running = world(everyMs);
    return running;
  };

  it('looks when it is told to, however rarely it looks by itself', async () => {
    const { turns, seen, following } = start(NEVER_MS);
    await eventually('the first look', () => seen.config === 1);
    turns.config++;
    following.look();
    await eventually('the change', () => seen.config === 2);
    turns.ledger++;
    following.look();
    await eventually('the rows', () => seen.ledger === 1);
    expect(seen.config).toBe(2);
  });

  it('looks by itself when nobody says anything', async () => {
    const { turns, seen } = start(5);
    await eventually('the first look', () => seen.config === 1);
    turns.config++;
    await eventually('the change', () => seen.config === 2);
  });

  it('told while it reads, it reads once more: what it has read may be older', async () => {
    const { turns, seen, following, hold } = start(NEVER_MS);
    await eventually('the first look', () => seen.config === 1);
    const release = hold();
    turns.config++;
    following.look();
    await eventually('it reads', () => seen.reads === 2);
    turns.config++;
    for (let i = 0; i < 5; i++) following.look();
    release();
    await eventually('both changes', () => seen.config === 3);
    expect(seen.reads).toBe(3);
  });

  it('what could not be taken over is taken over later, and nothing is after it has ended', async () => {
    const { turns, seen, fail, following } = start(5);
    await eventually('the first look', () => seen.config === 1);
    fail.taking = true;
    turns.config++;
    const { reads } = seen;
    await eventually('it has tried', () => seen.reads > reads + 1);
    fail.taking = false;
    await eventually('it is taken over', () => seen.config === 2);
    await following.stop();
    turns.config++;
    const after = seen.reads;
    following.look();
    expect(seen.reads).toBe(after);
  });
});
