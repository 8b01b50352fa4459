import type { Registry } from 'prom-client';
import { createDataRoutes, type DataRoutes } from '../http/data-routes.ts';
import { clientAddressOf } from '../http/request-marks.ts';
import type { JointAdmission } from '../limits/joint-admission.ts';
import { createCountMetrics } from '../pipeline/counting/count-metrics.ts';
import { createInputCounter } from '../pipeline/counting/input-counter.ts';
import { createInputRatios } from '../pipeline/counting/input-ratios.ts';
import { createGateway, type Gateway } from '../pipeline/gateway.ts';
import { createModelLists } from '../pipeline/local/model-lists.ts';
import { createGatewayMetrics } from '../pipeline/metrics.ts';
import { createTokenRatio } from '../pipeline/translation/token-ratio.ts';
import type { PoolAccount } from '../pool/pool.ts';
import { noteRefusal } from '../security/note-refusal.ts';
import { ADAPTERS, ERROR_RENDERERS, LIMIT_HEADERS, UTILISATION_PREFIXES } from './adapters.ts';
import type { Core } from './core.ts';
import { guardBudgets } from './guarded-budgets.ts';
import { countsAlone } from './join-nodes.ts';
import type { Journaling } from './journaling.ts';
import { testAccount } from './test-account.ts';
import { TRANSLATORS } from './translators.ts';

export interface DataPlaneParts {
  registry: Registry;
  /** Decides on limits and budgets at once, where both are in Redis. */
  joint: JointAdmission | null;
  /** False while budgets cannot be kept by what this process counts. */
  countsHold(): boolean;
}

export interface DataPlane {
  gateway: Gateway;
  routes: DataRoutes;
}

/** The list of an account's upstream; the same call that tests the account. */
const askForModels =
  ({ egress, clock }: Pick<Core, 'egress' | 'clock'>) =>
  async (account: PoolAccount): Promise<readonly string[]> => {
    const { models } = await testAccount(account, {
      egress,
      nowMs: clock.now,
      monotonicMs: clock.monotonicMs,
    });
    return models;
  };

/** Builds the gateway on an open journal. */
export function createDataPlane(
  core: Core,
  journaling: Journaling,
  { registry, joint, countsHold }: DataPlaneParts,
): DataPlane {
  const { config, clock, logger, newId } = core;
  const metrics = createGatewayMetrics(registry);
  const gateway = createGateway({
    snapshot: core.snapshot,
    journal: journaling.journal,
    egress: core.egress,
    renderers: ERROR_RENDERERS,
    metrics: {
      ...metrics,
      settled(event) {
        journaling.countRow();
        metrics.settled(event);
      },
    },
    budgets: countsAlone(core) ? guardBudgets(core.budgets.engine, countsHold) : core.budgets.engine,
    rates: core.limits.state,
    joint,
    limitHeaders: LIMIT_HEADERS,
    utilisationPrefixes: UTILISATION_PREFIXES,
    clock,
    newId,
    logger,
    watch: {
      keyUsed: (keyId, request) => core.keyAddresses.seen(keyId, clientAddressOf(request)),
      refused: (error, request) =>
        noteRefusal(core.security, error.code, request, request && clientAddressOf(request)),
    },
    addressOf: clientAddressOf,
    pool: core.pooling.pool,
    retry: {
      attempts: config.retryAttempts,
      delayMs: config.retryDelayMs,
      backoff: config.retryBackoff,
      deadlineMs: config.retryDeadlineMs,
    },
    random: Math.random,
    translation: { translators: TRANSLATORS, losses: config.translateLosses, ratio: createTokenRatio() },
    modelLists: createModelLists({ ask: askForModels(core), clock }),
    recounting: {
      counter:
        config.countTokensMs === 0
          ? null
          : createInputCounter({
              ...{ egress: core.egress, clock, deadlineMs: config.countTokensMs },
              told: createCountMetrics(registry),
            }),
      ratios: createInputRatios(),
    },
    limits: {
      maxBodyBytes: config.maxBodyBytes,
      maxBodiesBytes: config.maxBodiesBytes,
      firstByteTimeoutMs: config.firstByteTimeoutMs,
      idleTimeoutMs: config.idleTimeoutMs,
      drainMaxMs: config.drainMaxMs,
      drainMaxBytes: config.drainMaxBytes,
    },
  });
  core.budgets.watch(gateway);
  return { gateway, routes: createDataRoutes(ADAPTERS, core.userHash) };
}
