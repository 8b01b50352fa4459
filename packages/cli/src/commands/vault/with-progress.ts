import { setTimeout as wait } from 'node:timers/promises';
import type { AdminApi } from '../../client/admin-api.ts';
import type { CommandContext } from '../../context.ts';

const ASK_EVERY_MS = 500;

/** Waits for a rotation and, for people, notes how far it is whenever that changes. */
export async function withProgress<T>(
  context: CommandContext,
  api: AdminApi,
  rotation: Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const settled = rotation.finally(() => ended.abort());
  if (!context.json) {
    let last = '';
    while (!ended.signal.aborted) {
      await wait(ASK_EVERY_MS, null, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) break;
      const job = await api.vault.status().then(
        (status) => status.job,
        () => null, // the rotation itself says what is wrong
      );
      const text = job === null || job.total === 0 ? '' : `${job.done} of ${job.total} values sealed`;
      if (text !== '' && text !== last) context.note(text);
      last = text;
    }
  }
  return settled;
}
