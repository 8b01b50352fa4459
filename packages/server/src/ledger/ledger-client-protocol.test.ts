import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BroadcastChannel } from 'node:worker_threads';
import { handClock, until } from '@tallygate/testkit/journal-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalPosition } from '../journal/journal.ts';
import { silentLogger } from '../kernel/logger.ts';
import { type LedgerClient, startLedger } from './ledger-client.ts';
import type { FromLedgerThread, LedgerThreadData, ToLedgerThread } from './ledger-thread-protocol.ts';
import type { LedgerProgress } from './ledger-writer.ts';

/** A thread that says what the test tells it to, and tells the test what it heard and how it was started. */
const THREAD = `
  import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
  const line = new BroadcastChannel(workerData.line);
  line.onmessage = ({ data }) => {
    if (data.say) parentPort.postMessage(data.say);
    if (data.die) process.exit(1);
    if (data.fail) throw new Error(data.fail);
  };
  parentPort.on('message', (heard) => line.postMessage({ heard }));
  line.postMessage({ started: workerData.ledger });
`;
const START: JournalPosition = { segment: 1, offset: 28 };
const at = (offset: number): JournalPosition => ({ segment: 1, offset });
const progress = (through: JournalPosition, inserted = 0): LedgerProgress => ({
  committed: through,
  settledThrough: through,
  lowWaterSegment: 1,
  rows: inserted,
  inserted,
});

let dir: string;
let made = 0;
const ends: (() => Promise<unknown> | unknown)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ledger-protocol-'));
  writeFileSync(join(dir, 'thread.mjs'), THREAD);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(dir, { recursive: true, force: true });
});

function world({
  closeTimeoutMs = 10_000,
  onCommitted = (_progress: LedgerProgress): void => undefined,
} = {}) {
  const name = `ledger-${process.pid}-${made++}`;
  const line = new BroadcastChannel(name);
  const heard: ToLedgerThread[] = [];
  const started: LedgerThreadData[] = [];
  line.onmessage = (event: unknown) => {
    const { data } = event as { data: { heard?: ToLedgerThread; started?: LedgerThreadData } };
    if (data.heard) heard.push(data.heard);
    if (data.started) started.push(data.started);
  };
  ends.push(() => line.close());
  const clock = handClock();
  const committed: LedgerProgress[] = [];
  const rests: number[] = [];
  const starting = startLedger({
    module: pathToFileURL(join(dir, 'thread.mjs')),
    workerData: { line: name },
    journal: { dir, journalId: 'journal', bootSegment: 1, safeEnd: START },
    clock,
    logger: silentLogger,
    closeTimeoutMs,
    rest(ms) {
      rests.push(ms);
      clock.forward(ms);
    },
    onCommitted(one) {
      committed.push(one);
      onCommitted(one);
    },
  });
  const say = (message: FromLedgerThread): void => line.postMessage({ say: message });
  const die = (): void => line.postMessage({ die: true });
  const fail = (reason: string): void => line.postMessage({ fail: reason });
  return { starting, line, heard, started, clock, committed, rests, say, die, fail };
}

async function ready(options: Parameters<typeof world>[0] = {}) {
  const made = world(options);
  await until(() => made.started.length === 1);
  made.say({ type: 'ready', rows: 3, interrupted: 2 });
  const ledger: LedgerClient = await made.starting;
  ends.push(() => {
    const closing = ledger.close();
    made.say({ type: 'closed' });
    return closing;
  });
  await until(() => made.heard.length === 1);
  return { ...made, ledger };
}

describe('the main thread’s side of the ledger', () => {
  it('is there once the thread is ready, with what it recovered, and tells it at once how far the journal is', async () => {
    const { ledger, heard, started } = await ready();
    expect(ledger.recovered).toEqual({ rows: 3, interrupted: 2 });
    expect(started).toEqual([{ dir, journalId: 'journal', bootSegment: 1, safeEnd: START }]);
    expect(heard).toEqual([{ type: 'advance', safeEnd: START }]);
  });

  it('announces at most every twenty milliseconds, and then the newest end', async () => {
    const { ledger, heard, clock } = await ready();
    for (let i = 1; i <= 50; i++) ledger.advance(at(28 + i));
    expect(heard).toHaveLength(1);
    await until(() => heard.length > 1);
    expect(heard.slice(1)).toEqual([{ type: 'advance', safeEnd: at(78) }]);
    // The clock says that the time has passed: no timer is needed.
    clock.forward(20);
    ledger.advance(at(100));
    await until(() => heard.length > 2);
    expect(heard.slice(2)).toEqual([{ type: 'advance', safeEnd: at(100) }]);
  });

  describe('while other threads keep the cores to themselves', () => {
    const far: JournalPosition = { segment: 3, offset: 28 };
    /** Behind by two segments, as the thread last said of its progress. */
    async function starved(settledThrough: JournalPosition = START) {
      const made = await ready();
      made.say({ type: 'starved', starved: true });
      made.say({ type: 'committed', ...progress(settledThrough) });
      await until(() => made.committed.length === 1);
      return made;
    }

    it('holds requests up for a fifth of the time once it is far behind', async () => {
      const { ledger, clock, rests } = await starved();
      const from = clock.monotonicMs();
      while (clock.monotonicMs() - from < 1000) {
        ledger.advance(far);
        clock.forward(1);
      }
      expect(rests.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(150);
      expect(rests.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(200);
      expect(Math.max(...rests)).toBe(5);
    });

    it('does not while it is hardly behind', async () => {
      const { ledger, rests } = await starved();
      ledger.advance({ segment: 2, offset: 1_000_000 });
      expect(rests).toEqual([]);
    });

    it('stops as soon as it has caught up', async () => {
      const { ledger, rests, clock, say, committed } = await starved();
      ledger.advance(far);
      expect(rests).toEqual([5]);
      say({ type: 'committed', ...progress({ segment: 2, offset: 28 }) });
      await until(() => committed.length === 2);
      clock.forward(1000);
      ledger.advance(far);
      expect(rests).toEqual([5]);
    });

    it('stops when it has a core again, though it is still behind', async () => {
      const { ledger, rests, say, committed } = await starved();
      say({ type: 'starved', starved: false });
      say({ type: 'committed', ...progress(START) });
      await until(() => committed.length === 2);
      ledger.advance(far);
      expect(rests).toEqual([]);
    });

    it('stops while the store fails: no core helps there', async () => {
      const { ledger, rests, clock, say, committed } = await starved();
      say({ type: 'failed', reason: 'SQLITE_FULL', attempts: 1, retryInMs: 50 });
      await until(() => ledger.backlog().failure !== null);
      ledger.advance(far);
      expect(rests).toEqual([]);
      say({ type: 'committed', ...progress(START) });
      await until(() => committed.length === 2);
      clock.forward(1000);
      ledger.advance(far);
      expect(rests).toEqual([5]);
    });

    it('stops when it gets nowhere, which is the store and no core', async () => {
      const { ledger, rests, clock, say, committed } = await starved();
      ledger.advance(far);
      clock.forward(10_000);
      ledger.advance(far);
      expect(rests).toEqual([5]);
      say({ type: 'committed', ...progress(START) });
      await until(() => committed.length === 2);
      ledger.advance(far);
      expect(rests).toEqual([5, 5]);
    });

    it('stops when the thread dies', async () => {
      const { ledger, rests, started, die } = await starved();
      die();
      await until(() => started.length === 2);
      ledger.advance(far);
      expect(rests).toEqual([]);
    });
  });

  it('says how long it has been behind: since it fell behind, or since it last got on', async () => {
    const { ledger, say, clock, committed } = await ready();
    say({ type: 'committed', ...progress(START) });
    await until(() => committed.length === 1);
    clock.forward(60_000);
    // Nothing to do is not being behind, however long.
    expect(ledger.backlog().stalledMs).toBe(0);
    ledger.advance(at(100));
    expect(ledger.backlog().stalledMs).toBe(0);
    clock.forward(700);
    ledger.advance(at(200));
    expect(ledger.backlog().stalledMs).toBe(700);
    say({ type: 'committed', ...progress(at(100)) });
    await until(() => committed.length === 2);
    expect(ledger.backlog().stalledMs).toBe(0);
    clock.forward(5);
    expect(ledger.backlog()).toMatchObject({ stalledMs: 5, safeEnd: at(200), settledThrough: at(100) });
    say({ type: 'committed', ...progress(at(200)) });
    await until(() => committed.length === 3);
    clock.forward(9999);
    expect(ledger.backlog().stalledMs).toBe(0);
  });

  it('hands on what was committed, and goes on when a listener throws', async () => {
    const { ledger, say, committed } = await ready({
      onCommitted: () => {
        throw new Error('listener');
      },
    });
    say({ type: 'committed', ...progress(at(50), 7) });
    say({ type: 'committed', ...progress(at(60), 1) });
    await until(() => committed.length === 2);
    expect(committed).toEqual([progress(at(50), 7), progress(at(60), 1)]);
    expect(ledger.backlog().settledThrough).toEqual(at(60));
  });

  it('counts what was damaged and set aside, but not the half entry that a crash leaves; a failure lasts until a commit', async () => {
    const { ledger, say, committed } = await ready();
    const damage = { at: START, resumedAt: at(99), lostBytes: 1 };
    for (const kind of ['torn_tail', 'corrupt', 'missing_segment', 'torn_tail'] as const)
      say({ type: 'damage', damage: { ...damage, kind } });
    for (const eventId of ['a', null]) say({ type: 'quarantined', eventId, reason: '22021' });
    say({ type: 'failed', reason: 'SQLITE_BUSY', attempts: 4, retryInMs: 400 });
    await until(() => ledger.backlog().failure !== null);
    expect(ledger.backlog()).toMatchObject({
      damages: 2,
      quarantined: 2,
      failure: 'SQLITE_BUSY',
      restarts: 0,
    });
    say({ type: 'committed', ...progress(START) });
    await until(() => committed.length === 1);
    expect(ledger.backlog()).toMatchObject({ damages: 2, quarantined: 2, failure: null });
  });
});

describe('a thread that dies', () => {
  it('before it was ready: starting fails, with its error or by its end, and it is not started again', async () => {
    const silent = world();
    await until(() => silent.started.length === 1);
    silent.die();
    await expect(silent.starting).rejects.toThrow('the ledger thread ended');
    const loud = world();
    await until(() => loud.started.length === 1);
    loud.fail('no such store');
    await expect(loud.starting).rejects.toThrow('no such store');
    expect([silent.started.length, loud.started.length]).toEqual([1, 1]);
  });

  it('later: is started again with the end of the journal as it is now, and told so once it is ready', async () => {
    const { ledger, heard, started, die, say } = await ready();
    ledger.advance(at(500));
    die();
    await until(() => started.length === 2);
    expect(started[1]).toEqual({ dir, journalId: 'journal', bootSegment: 1, safeEnd: at(500) });
    expect(ledger.backlog()).toMatchObject({ restarts: 1, safeEnd: at(500) });
    const before = heard.length;
    ledger.advance(at(600));
    say({ type: 'ready', rows: 0, interrupted: 0 });
    await until(() => heard.length > before);
    expect(heard.at(-1)).toEqual({ type: 'advance', safeEnd: at(600) });
    // What the first start recovered is what the process tells about itself.
    expect(ledger.recovered).toEqual({ rows: 3, interrupted: 2 });
  });

  it('again and again: is started each time, and counted', async () => {
    const { ledger, started, die } = await ready();
    for (let times = 1; times <= 2; times++) {
      die();
      await until(() => started.length === times + 1);
      expect(ledger.backlog().restarts).toBe(times);
    }
  });
});

describe('closing', () => {
  it('tells the thread the newest end, waits for its word, and is one close however often it is asked', async () => {
    const { ledger, heard, say } = await ready();
    ledger.advance(at(300));
    const closing = ledger.close();
    expect(ledger.close()).toBe(closing);
    await until(() => heard.some(({ type }) => type === 'close'));
    expect(heard.at(-1)).toEqual({ type: 'close', safeEnd: at(300) });
    // What comes after is for the next start.
    ledger.advance(at(999));
    say({ type: 'closed' });
    expect(await closing).toBe(true);
    expect(heard.at(-1)?.type).toBe('close');
  });

  it('is false when the thread takes too long, or ends without a word; it is not started again', async () => {
    const slow = await ready({ closeTimeoutMs: 30 });
    expect(await slow.ledger.close()).toBe(false);
    const dying = await ready();
    const closing = dying.ledger.close();
    dying.die();
    expect(await closing).toBe(false);
    expect([slow.started.length, dying.started.length]).toEqual([1, 1]);
    expect(dying.ledger.backlog().restarts).toBe(0);
  });

  it('between two lives of the thread is true only when nothing is left to commit', async () => {
    for (const isBehind of [false, true]) {
      const { ledger, say, die, committed, started } = await ready();
      say({ type: 'committed', ...progress(START) });
      await until(() => committed.length === 1);
      if (isBehind) ledger.advance(at(50));
      die();
      await until(() => ledger.backlog().restarts === 1);
      expect(await ledger.close()).toBe(!isBehind);
      expect(started).toHaveLength(1);
    }
  });
});
