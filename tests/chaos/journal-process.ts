import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { ENTRY_OPENED, ENTRY_SETTLED, type FsyncPolicy } from '@tallygate/server/journal/journal';
import { openJournal } from '@tallygate/server/journal/open-journal';
import { systemClock } from '@tallygate/server/kernel/clock';
import { createIdSource } from '@tallygate/server/kernel/ids';
import { silentLogger } from '@tallygate/server/kernel/logger';
import { encodeOpened, encodeSettled } from '@tallygate/server/ledger/journal-entries';
import { startLedger } from '@tallygate/server/ledger/ledger-client';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';

/**
 * A process to kill: journals requests as fast as it can, and prints `o <id>` and `s <id>` once the opened and the
 * settled entry of a request are safe. With a ledger, its thread commits to a store in a file meanwhile.
 * Arguments: folder, fsync policy, prefix of the ids, `ledger` or `alone`.
 */
const [folder = '', fsync = 'process', prefix = '', mode = 'alone'] = process.argv.slice(2);
const UNDER_WAY = 40;

const journal = await openJournal({
  dir: join(folder, 'journal'),
  fsync: fsync as FsyncPolicy,
  segmentBytes: 64 * 1024,
  maxWaitingBytes: 1e8,
  reserveBytes: 0,
  clock: systemClock,
  logger: silentLogger,
  ids: createIdSource(systemClock),
});

if (mode === 'ledger') {
  const ledger = await startLedger({
    module: new URL(import.meta.resolve('@tallygate/testkit/file-ledger-thread')),
    workerData: { folder },
    journal: {
      dir: join(folder, 'journal'),
      journalId: journal.id,
      bootSegment: journal.bootSegment,
      safeEnd: journal.status().safeEnd,
    },
    clock: systemClock,
    logger: silentLogger,
    rest: () => undefined,
    onCommitted: (progress) => void journal.releaseBelow(progress.lowWaterSegment),
  });
  journal.onAdvance((safeEnd) => ledger.advance(safeEnd));
}

let count = 0;
function request(): void {
  const id = `${prefix}-${count++}`;
  journal.append(ENTRY_OPENED, encodeOpened({ event: sampleEvent(id) }), (error) => {
    if (error) throw error;
    writeSync(1, `o ${id}\n`);
    // Some requests take longer than others, some longer than this process has.
    if (count % 17 === 0) return;
    if (count % 3 === 0) setTimeout(settle, count % 20, id);
    else setImmediate(settle, id);
  });
}

function settle(id: string): void {
  const events = [sampleSettled(id, { rawUsage: 'x'.repeat((count * 37) % 900) })];
  journal.append(ENTRY_SETTLED, encodeSettled({ openedId: id, events }), (error) => {
    if (error) throw error;
    writeSync(1, `s ${id}\n`);
    setImmediate(request);
  });
}

for (let i = 0; i < UNDER_WAY; i++) request();
// Requests that never settle leave the loop: others take their place.
setInterval(request, 1);
