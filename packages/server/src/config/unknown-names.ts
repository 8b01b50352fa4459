import type { ConfigProblem } from './config-error.ts';
import { namesOf, SETTING_NAMES, type SettingName } from './settings.ts';
import { suggest } from './suggest.ts';

/** Variables with our prefix that are not settings of the server. */
const OTHER_VARIABLES: readonly string[] = [
  'TALLYGATE_CONFIG', // where the settings file is
  'TALLYGATE_SERVER', // command line: which server to talk to
  'TALLYGATE_ADMIN_KEY', // command line: the key to talk to it with
];

/** Our own test suite is steered by variables with this prefix. */
const TEST_PREFIX = 'TALLYGATE_TEST_';

const ENV_NAMES = SETTING_NAMES.flatMap((name) => namesOf(name).env);
const KNOWN_VARIABLES = new Set([...ENV_NAMES, ...OTHER_VARIABLES]);

/** A variable with our prefix that means nothing here is a spelling mistake, or meant for another version. */
export function unknownVariable(name: string): ConfigProblem | null {
  if (!name.startsWith('TALLYGATE_') || KNOWN_VARIABLES.has(name) || name.startsWith(TEST_PREFIX))
    return null;
  const near = suggest(name, KNOWN_VARIABLES);
  return unknown(`The environment variable ${name} is not a setting.`, near, 'Unset it');
}

/** A key of the settings file that is no setting, or a setting that may not stand in a file. */
export function unknownKey(key: string, path: string): ConfigProblem | null {
  const keys = SETTING_NAMES.map((name) => namesOf(name).toml).filter((toml) => toml !== null);
  if (keys.includes(key)) return null;
  const closed = SETTING_NAMES.find((name) => namesOf(name).toml === null && isWrittenAs(name, key));
  if (closed !== undefined) return environmentOnly(closed, `${path} sets ${key}.`);
  return unknown(
    `${path} has the key ${JSON.stringify(key)}, which is not a setting.`,
    suggest(key, keys),
    'Remove it',
  );
}

/** A flag that is no setting, or a setting that may not be a flag. */
export function unknownFlag(name: string): ConfigProblem | null {
  const setting = SETTING_NAMES.find((candidate) => candidate === name);
  if (setting !== undefined && namesOf(setting).flag !== null) return null;
  if (setting !== undefined) return environmentOnly(setting, `${name} was given as a flag.`);
  const flags = SETTING_NAMES.map((candidate) => namesOf(candidate).flag).filter((flag) => flag !== null);
  return unknown(`--${name} is not a flag.`, suggest(name, flags), 'Remove it');
}

function isWrittenAs(name: SettingName, key: string): boolean {
  return key.toLowerCase().replace(/[^a-z\d]/g, '') === name.toLowerCase();
}

function environmentOnly(name: SettingName, what: string): ConfigProblem {
  return {
    what,
    why: 'Command lines are seen by other users of the machine and files are copied, so this one is not read there.',
    fix: `Set the environment variable ${namesOf(name).env[0]} instead.`,
  };
}

function unknown(what: string, near: string | null, removal: string): ConfigProblem {
  return {
    what,
    why: 'It would be silently without effect, so the start is refused.',
    fix: near === null ? `${removal}; docs/settings.md lists every setting.` : `Did you mean ${near}?`,
  };
}
