import type { Registry } from 'prom-client';
import type { ChangeBus } from '../bus/change-bus.ts';
import { RedisBus } from '../bus/redis/redis-bus.ts';
import type { JointAdmission } from '../limits/joint-admission.ts';
import { RedisJoint } from '../limits/redis/redis-joint.ts';
import type { Core } from './core.ts';
import type { Journaling } from './journaling.ts';
import { createSharedLimits, type SharedLimits } from './shared-limits.ts';
import { createSharedRates, type SharedRates } from './shared-rates.ts';

/** What nodes share through Redis. */
export interface RedisParts {
  budgets: SharedLimits;
  limits: SharedRates;
  /** Asks both in one round trip. */
  joint: JointAdmission;
  /** Begins to listen; `heard` is called when another node says that something changed, or may have. */
  openBus(heard: () => void): ChangeBus;
}

/** Loaded only where REDIS_URL is set: everybody else does without the client and its commands. */
export function openRedisParts(core: Core, journaling: Journaling, registry: Registry): RedisParts | null {
  const { config, newId, logger } = core;
  const budgets = createSharedLimits(core, journaling, registry);
  const limits = createSharedRates(core, registry);
  if (config.redisUrl === null || budgets === null || limits === null) return null;
  const url = config.redisUrl.reveal();
  return {
    budgets,
    limits,
    joint: new RedisJoint(limits.rates, budgets.limits),
    openBus(heard) {
      const bus = new RedisBus({ url, namespace: config.redisNamespace, newId, logger, onMessage: heard });
      bus.start();
      return bus;
    },
  };
}
