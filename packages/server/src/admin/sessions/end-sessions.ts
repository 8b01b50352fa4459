import { sessionCredential } from '../../identity/principal.ts';
import type { AdminContext } from '../admin-deps.ts';

type Parts = Pick<AdminContext, 'store' | 'endStreamsOf'>;

/**
 * Ends the user's sessions but the one kept, with the streams they hold open.
 * @returns how many ended
 */
export async function endSessionsOf(
  { store, endStreamsOf }: Parts,
  userId: string,
  keepIdHash: string | null,
): Promise<number> {
  const ended = await store.people.endSessions(userId, keepIdHash);
  for (const idHash of ended) endStreamsOf(sessionCredential(idHash));
  return ended.length;
}

/**
 * Makes a change to the rights of these users and then ends the streams they hold open: they reconnect, and are
 * asked again.
 */
export async function recheckStreamsOf<T>(
  { store, endStreamsOf }: Parts,
  userIds: readonly string[],
  change: () => Promise<T>,
): Promise<T> {
  const rows = await store.people.listSessions(null); // before: some changes take the sessions along
  const changed = await change();
  for (const row of rows) if (userIds.includes(row.userId)) endStreamsOf(sessionCredential(row.idHash));
  return changed;
}
