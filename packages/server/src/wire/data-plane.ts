import type { Registry } from 'prom-client';
import { createDataRoutes, type DataRoutes } from '../http/data-routes.ts';
import type { OpenJournal } from '../journal/open-journal.ts';
import { openJournal } from '../journal/open-journal.ts';
import { siblingModule } from '../kernel/sibling-module.ts';
import { type LedgerClient, startLedger } from '../ledger/ledger-client.ts';
import { createLiveFeed, type LiveFeed } from '../ledger/live-feed.ts';
import { createGateway, type Gateway } from '../pipeline/gateway.ts';
import { createGatewayMetrics } from '../pipeline/metrics.ts';
import { ADAPTERS, ERROR_RENDERERS } from './adapters.ts';
import type { Core } from './core.ts';
import type { LedgerThreadConfig } from './ledger-thread.ts';

export interface DataPlane {
  gateway: Gateway;
  routes: DataRoutes;
  journal: OpenJournal;
  ledger: LedgerClient;
  liveFeed: LiveFeed;
  /** Rows journaled by this process that are not in the store yet. */
  backlogRows(): number;
}

async function startLedgerThread(
  core: Core,
  journal: OpenJournal,
  onRows: (rows: number) => void,
): Promise<LedgerClient> {
  const { config, clock, logger, paths } = core;
  const threadConfig: LedgerThreadConfig = { dbUrl: config.dbUrl.reveal(), logLevel: config.logLevel };
  return startLedger({
    module: siblingModule(import.meta.url, './ledger-thread'),
    workerData: { ...threadConfig },
    journal: {
      dir: paths.journalDir,
      journalId: journal.id,
      bootSegment: journal.bootSegment,
      safeEnd: journal.status().safeEnd,
    },
    clock,
    logger,
    onCommitted(progress) {
      if (progress.rows > 0) onRows(progress.rows);
      journal.releaseBelow(progress.lowWaterSegment).catch((error: unknown) => {
        logger.warn('old journal segments could not be removed', { error });
      });
    },
  });
}

/** Opens the journal, recovers what an earlier process left, and builds the gateway on it. */
export async function openDataPlane(core: Core, registry: Registry): Promise<DataPlane> {
  const { config, clock, logger, newId, paths } = core;
  const journal = await openJournal({
    dir: paths.journalDir,
    fsync: config.journalFsync,
    maxWaitingBytes: config.journalMaxWaitingBytes,
    reserveBytes: config.journalReserveBytes,
    clock,
    logger,
    ids: newId,
  });
  const liveFeed = createLiveFeed();
  let rowsJournaled = 0;
  let rowsCommitted = 0;
  const ledger = await startLedgerThread(core, journal, (rows) => {
    rowsCommitted += rows;
    liveFeed.announce();
  });
  rowsCommitted = 0; // what an earlier process left is in the store by now and was never counted
  const metrics = createGatewayMetrics(registry);
  journal.onAdvance((safeEnd) => ledger.advance(safeEnd));
  const gateway = createGateway({
    snapshot: core.snapshot,
    journal,
    egress: core.egress,
    renderers: ERROR_RENDERERS,
    metrics: {
      ...metrics,
      settled(event) {
        rowsJournaled += 1;
        metrics.settled(event);
      },
    },
    clock,
    newId,
    logger,
    limits: {
      maxBodyBytes: config.maxBodyBytes,
      firstByteTimeoutMs: config.firstByteTimeoutMs,
      idleTimeoutMs: config.idleTimeoutMs,
      drainMaxMs: config.drainMaxMs,
      drainMaxBytes: config.drainMaxBytes,
    },
  });
  return {
    gateway,
    routes: createDataRoutes(ADAPTERS),
    journal,
    ledger,
    liveFeed,
    backlogRows: () => Math.max(0, rowsJournaled - rowsCommitted),
  };
}
