import { systemAct } from './audit-events.ts';
import type { Core } from './core.ts';

/** Left by the migration to user names without case. */
const SETTING = 'users_renamed';

interface Renamed {
  id: string;
  before: string;
  after: string;
}

/**
 * Records and tells which users have another name since a migration: theirs differed from an older user's by case
 * alone. What was told is forgotten only after it is in the audit log.
 */
export async function tellRenamedUsers({
  store,
  clock,
  notices,
}: Pick<Core, 'store' | 'clock' | 'notices'>): Promise<void> {
  const left = await store.config.getSetting(SETTING);
  if (left === null || left === '') return;
  for (const { id, before, after } of JSON.parse(left) as Renamed[]) {
    const changes = [{ field: 'username', before, after }];
    await store.audit.append(
      systemAct(clock.now(), 'user.renamed', { resource: 'user', resourceId: id, changes }),
    );
    notices.push(
      `The user "${before}" is called "${after}" from now on: another user had that name but for its case. Tell them.`,
    );
  }
  await store.config.setSetting(SETTING, '');
}
