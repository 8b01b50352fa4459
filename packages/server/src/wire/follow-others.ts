import type { Topic } from '../bus/change-bus.ts';
import type { Core } from './core.ts';
import type { DataPlane } from './data-plane.ts';
import { followChanges } from './follow-changes.ts';
import type { Journaling } from './journaling.ts';
import type { RedisParts } from './redis-parts.ts';

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
  { plane, redis }: { plane: DataPlane; redis: RedisParts | null },
  { liveFeed, onOwnRows }: Journaling,
): FollowedNodes | null {
  const { store, logger } = core;
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
  const bus = redis?.openBus(() => following.look());
  onOwnRows(() => bus?.publish('ledger'));
  return {
    announce: (topic) => bus?.publish(topic),
    async stop() {
      onOwnRows(() => undefined);
      bus?.stop();
      await following.stop();
    },
  };
}
