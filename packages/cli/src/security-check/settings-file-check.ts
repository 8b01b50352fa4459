import { lstat } from 'node:fs/promises';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { fail, ok } from '@tallygate/server/checkup/check';
import type { CliCheckContext } from '../doctor/check-context.ts';

export async function checkSettingsFile({ settings, uid }: CliCheckContext): Promise<CheckResult> {
  const id = 'settings_file';
  const used = Object.values(settings.provenance).find(({ source }) => source === 'file');
  const configFile = used?.detail ?? null;
  if (configFile === null) return ok(id, 'No setting comes from a file.');
  const found = await lstat(configFile);
  if (uid === null || (found.mode & 0o022) === 0)
    return ok(id, `${configFile} can be changed by its owner alone.`);
  return fail(id, `${configFile} can be changed by other users.`, `chmod go-w '${configFile}'`);
}
