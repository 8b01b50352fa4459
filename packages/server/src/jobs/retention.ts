import type { Clock } from '../kernel/clock.ts';
import type { Store } from '../store/store.ts';
import type { Job } from './job.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEEP_ALERTS_MS = 400 * DAY_MS;
const ALERTS_AT_ONCE = 1_000;
const KEEP_NODES_MS = 7 * DAY_MS;

export const RETENTION_JOB = 'retention';

/** Removes what has had its time: told alerts, ended sessions and sign-ins, and nodes that are gone. */
export function retentionJob({
  store,
  clock,
}: {
  store: Pick<Store, 'alerts' | 'identity' | 'people' | 'oauth' | 'nodes'>;
  clock: Clock;
}): Job {
  return {
    name: RETENTION_JOB,
    everyMs: HOUR_MS,
    async run({ fence }) {
      const nowMs = clock.now();
      await store.alerts.deleteAlertEvents(nowMs - KEEP_ALERTS_MS, ALERTS_AT_ONCE, fence);
      // What has ended is ended for every process: these need no fence.
      await store.identity.deleteExpiredSessions(nowMs);
      await store.people.deleteExpiredLinks(nowMs);
      await store.oauth.deleteExpiredOauthSessions(nowMs);
      await store.nodes.forgetNodes(KEEP_NODES_MS);
    },
  };
}
