import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENTRY_SETTLED, type FsyncPolicy } from '@tallygate/server/journal/journal';
import { openJournal } from '@tallygate/server/journal/open-journal';
import { JOURNAL_START } from '@tallygate/server/journal/position';
import { readJournal } from '@tallygate/server/journal/read-journal';
import { systemClock } from '@tallygate/server/kernel/clock';
import { createIdSource } from '@tallygate/server/kernel/ids';
import { silentLogger } from '@tallygate/server/kernel/logger';
import { decodeSettled } from '@tallygate/server/ledger/journal-entries';
import { recoverLedger } from '@tallygate/server/ledger/ledger-writer';
import type { LedgerStore } from '@tallygate/server/store/store';
import { committedLines, openFileLedgerStore } from '@tallygate/testkit/file-ledger-store';
import { MemoryLedgerStore } from '@tallygate/testkit/memory-ledger-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Rounds for each of the four tests; `TALLYGATE_CHAOS_ROUNDS=200` for the long run. */
const ROUNDS = Number(process.env.TALLYGATE_CHAOS_ROUNDS ?? 4);
const POLICIES: FsyncPolicy[] = ['process', 'disk'];
const PROCESS = fileURLToPath(new URL('./journal-process.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-kill-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Acknowledged {
  opened: Set<string>;
  settled: Set<string>;
}

/** Every fourth process may be killed while it starts and recovers; the others have shown a sign of life before. */
const mayDieEarly = (round: number): boolean => round % 4 === 3;

/** Lets a process journal, kills it with SIGKILL at a random moment, and returns what it had acknowledged. */
async function liveAndDie(fsync: FsyncPolicy, round: number, mode: string): Promise<Acknowledged> {
  const child = spawn(process.execPath, [...process.execArgv, PROCESS, folder, fsync, `r${round}`, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const ended = Promise.all([once(child, 'exit'), once(child.stdout, 'close')]);
  await Promise.race([
    once(child.stdout, 'data'),
    ended,
    wait(mayDieEarly(round) ? 250 : 60_000, null, { ref: false }),
  ]);
  await wait(Math.random() * 120);
  child.kill('SIGKILL');
  await ended;
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const ids = (mark: string) =>
    new Set(lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2)));
  return { opened: ids('o '), settled: ids('s ') };
}

async function recover(store: LedgerStore): Promise<void> {
  const dir = join(folder, 'journal');
  const journal = await openJournal({
    dir,
    fsync: 'process',
    maxWaitingBytes: 1e8,
    reserveBytes: 0,
    clock: systemClock,
    logger: silentLogger,
    ids: createIdSource(systemClock),
  });
  await recoverLedger({
    dir,
    nodeId: journal.id,
    bootSegment: journal.bootSegment,
    safeEnd: journal.status().safeEnd,
    store,
    quarantine: { keep: () => expect.unreachable('nothing is set aside') },
    wait,
    reports: {
      onProgress: () => undefined,
      onFailure: () => expect.unreachable('the store does not fail'),
      onDamage: ({ kind }) => expect(kind).toBe('torn_tail'),
      onQuarantined: () => expect.unreachable('nothing is set aside'),
    },
  });
  await journal.releaseBelow(journal.bootSegment);
  await journal.close();
}

/** How often each id is settled in the journal's files. */
function settledInJournal(): Map<string, number> {
  const times = new Map<string, number>();
  if (!existsSync(join(folder, 'journal'))) return times; // killed before it made one
  const reader = readJournal(join(folder, 'journal'), JOURNAL_START, {
    onDamage: ({ kind }) => expect(kind).toBe('torn_tail'),
  });
  for (const entry of reader) {
    if (entry.type !== ENTRY_SETTLED) continue;
    const { openedId } = decodeSettled(entry.payload);
    times.set(openedId, (times.get(openedId) ?? 0) + 1);
  }
  return times;
}

function expectAccountedFor(acknowledged: Acknowledged, statusOf: (id: string) => string | undefined): void {
  for (const id of acknowledged.settled) expect(statusOf(id), id).toBe('ok');
  for (const id of acknowledged.opened) {
    if (acknowledged.settled.has(id)) continue;
    // Its settled entry may have become safe without the process living to say so.
    expect(['ok', 'interrupted'], id).toContain(statusOf(id));
  }
}

describe.each(POLICIES)('kill -9 under load, policy %s (CF-17)', (fsync) => {
  it(
    'every acknowledged settled entry is in the journal and the ledger exactly once, every open one is interrupted',
    async () => {
      const store = new MemoryLedgerStore();
      let total = 0;
      let interrupted = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = await liveAndDie(fsync, round, 'alone');
        total += acknowledged.settled.size;
        const times = settledInJournal();
        for (const id of acknowledged.settled) expect(times.get(id), id).toBe(1);
        for (const [id, count] of times) expect(count, id).toBe(1);
        await recover(store);
        expectAccountedFor(acknowledged, (id) => store.rows.get(id)?.status);
        const rows = new Map(store.rows);
        await recover(store);
        expect(store.rows).toEqual(rows);
        interrupted = [...rows.values()].filter((row) => row.status === 'interrupted').length;
      }
      expect(store.repeated).toBe(0);
      expect(total).toBeGreaterThan(0);
      expect(interrupted).toBeGreaterThan(0);
    },
    60_000 + ROUNDS * 5000,
  );

  it(
    'the same with the ledger at work in the killed process, each life recovering the one before',
    async () => {
      const all: Acknowledged = { opened: new Set(), settled: new Set() };
      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = await liveAndDie(fsync, round, 'ledger');
        for (const id of acknowledged.opened) all.opened.add(id);
        for (const id of acknowledged.settled) all.settled.add(id);
      }
      await recover(openFileLedgerStore(folder));
      const statuses = new Map<string, string>();
      for (const line of committedLines(folder)) {
        for (const [index, id] of line.ids.entries()) {
          expect(statuses.has(id), id).toBe(false);
          statuses.set(id, line.statuses[index] ?? '');
        }
      }
      expect(all.settled.size).toBeGreaterThan(0);
      expectAccountedFor(all, (id) => statuses.get(id));
    },
    60_000 + ROUNDS * 5000,
  );
});
