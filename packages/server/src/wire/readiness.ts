import { statfs } from 'node:fs/promises';
import type { ReadinessCheck } from '../admin/admin-deps.ts';
import type { JournalStatus } from '../journal/journal.ts';
import type { LedgerBacklog } from '../ledger/ledger-client.ts';
import type { Store } from '../store/store.ts';

const STORE_TIMEOUT_MS = 3_000;
/** The ledger may fall behind under load; without any progress for this long something is wrong. */
const MAX_STALLED_MS = 15_000;

export interface ReadinessParts {
  store: Store;
  schemaVersion: number;
  dataDir: string;
  reserveBytes: number;
  journalStatus(): JournalStatus;
  backlog(): LedgerBacklog;
  /** Why limits cannot be kept beside the other nodes; null when they can. */
  nodesReason(): string | null;
}

async function answersInTime(store: Store): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, STORE_TIMEOUT_MS, false);
  });
  try {
    return await Promise.race([store.ping().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

const check = (name: string, ok: boolean, reason: string): ReadinessCheck => ({
  name,
  ok,
  reason: ok ? null : reason,
});

/** What has to work before traffic may come: store, migrations, journal, ledger, disk. */
export async function readiness(
  parts: ReadinessParts,
): Promise<{ ok: boolean; checks: readonly ReadinessCheck[] }> {
  const storeAnswers = await answersInTime(parts.store);
  const version = storeAnswers ? await parts.store.schemaVersion().catch(() => -1) : parts.schemaVersion;
  const disk = await statfs(parts.dataDir);
  const nodesReason = parts.nodesReason();
  const checks = [
    check('store', storeAnswers, 'the store does not answer'),
    check(
      'migrations',
      version === parts.schemaVersion,
      'the schema in the store is not the one this program works with',
    ),
    check('journal', parts.journalStatus().state === 'ok', 'the journal cannot be written'),
    check('ledger', parts.backlog().stalledMs < MAX_STALLED_MS, 'the ledger cannot write to the store'),
    { name: 'nodes', ok: nodesReason === null, reason: nodesReason },
    check(
      'disk',
      disk.bavail * disk.bsize > parts.reserveBytes,
      'the disk of the data directory is almost full',
    ),
  ];
  return { ok: checks.every((one) => one.ok), checks };
}
