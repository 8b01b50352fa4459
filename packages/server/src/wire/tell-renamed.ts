import { RENAMED_SETTING, type RenamedUser } from '../store/queries/fold-usernames.ts';
import { systemAct } from './audit-events.ts';
import type { Core } from './core.ts';

/**
 * Records and tells which users have another name since a migration or this start: theirs differed from an older user's by case
 * alone. What was told is forgotten only after it is in the audit log.
 */
export async function tellRenamedUsers({
  store,
  clock,
  notices,
}: Pick<Core, 'store' | 'clock' | 'notices'>): Promise<void> {
  await store.identity.foldUsernames(); // of users whom an older node made after the migration
  const left = await store.config.getSetting(RENAMED_SETTING);
  if (left === null || left === '') return;
  for (const { id, before, after } of JSON.parse(left) as RenamedUser[]) {
    const changes = [{ field: 'username', before, after }];
    await store.audit.append(
      systemAct(clock.now(), 'user.renamed', { resource: 'user', resourceId: id, changes }),
    );
    notices.push(
      `The user "${before}" is called "${after}" from now on: another user had that name but for its case. Tell them.`,
    );
  }
  await store.config.setSetting(RENAMED_SETTING, '');
}
