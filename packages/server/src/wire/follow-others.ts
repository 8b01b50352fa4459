import type { ChangeBus, Topic } from '../bus/change-bus.ts';
import { RedisBus } from '../bus/redis/redis-bus.ts';
import type { Core } from './core.ts';
import type { DataPlane } from './data-plane.ts';
import { followChanges } from './follow-changes.ts';
import type { Journaling } from './journaling.ts';

/** A key revoked on any node is refused on all within a second, also when nobody says so: half of that is for reading. */
const FOLLOW_EVERY_MS = 400;

export interface FollowedNodes {
  /** Tells the others that this node changed something. */
  announce(topic: Topic): void;
  stop(): Promise<void>;
}

/**
 * Takes over what other nodes change: told by Redis at once, and found in the store soon when nothing was told.
 * @returns null where there are no others
 */
export function followOthers(
  core: Core,
  plane: DataPlane,
  { liveFeed, onOwnRows }: Journaling,
): FollowedNodes | null {
  const { config, store, logger, newId } = core;
  if (!store.capabilities.multiProcess) return null;
  const following = followChanges({
    config: store.config,
    logger,
    everyMs: FOLLOW_EVERY_MS,
    async onConfig() {
      await core.keeper.follow(); // before what was sealed with a new key is opened
      await core.snapshot.refresh();
      plane.gateway.endForbidden();
      await core.budgets.follow();
      await core.limits.load();
      await core.pooling.reload();
    },
    onLedger: () => liveFeed.announce(),
  });
  const bus = startBus();
  onOwnRows(() => bus?.publish('ledger'));
  return {
    announce: (topic) => bus?.publish(topic),
    async stop() {
      onOwnRows(() => undefined);
      bus?.stop();
      await following.stop();
    },
  };

  function startBus(): ChangeBus | null {
    if (config.redisUrl === null) return null;
    const { redisNamespace: namespace } = config;
    const url = config.redisUrl.reveal();
    const started = new RedisBus({ url, namespace, newId, logger, onMessage: () => following.look() });
    started.start();
    return started;
  }
}
