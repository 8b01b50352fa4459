import type { SystemView } from '@tallygate/contract/api/system';
import { Gauge, type Registry } from 'prom-client';
import { RedisRates } from '../limits/redis/redis-rates.ts';
import type { Core } from './core.ts';

/** A decision that takes longer is made by what this process counts alone. */
const DEADLINE_MS = 50;
const PATIENCE_MS = 2_000;
const BEAT_MS = 1_000;
/** What a process held that died is free after this long. */
const LEASE_MS = 15_000;

export interface SharedRates {
  rates: RedisRates;
  /** What the operator should know right now. */
  warnings(): SystemView['warnings'];
}

/** Limits counted in Redis, for several nodes; null where this process counts for itself. */
export function createSharedRates({ config, newId, logger }: Core, registry: Registry): SharedRates | null {
  if (config.redisUrl === null) return null;
  const rates = new RedisRates({
    url: config.redisUrl.reveal(),
    namespace: config.redisNamespace,
    ...{
      newId,
      logger,
      deadlineMs: DEADLINE_MS,
      patienceMs: PATIENCE_MS,
      beatMs: BEAT_MS,
      leaseMs: LEASE_MS,
    },
  });
  new Gauge({
    name: 'tallygate_shared_rates_up',
    help: '1 while limits on requests and tokens are counted together with the other nodes',
    registers: [registry],
    collect() {
      this.set(rates.shared ? 1 : 0);
    },
  });
  return {
    rates,
    warnings: () =>
      rates.shared || !rates.active
        ? []
        : [
            {
              code: 'shared_rates_unavailable',
              message:
                'Redis does not answer in time: each node counts limits on requests, tokens and what runs at once for itself, so together they let through more. Look at Redis.',
            },
          ],
  };
}
