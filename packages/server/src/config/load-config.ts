import { dirname, join, resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import type { Installation } from './environment.ts';
import { keyContradictions } from './key-settings.ts';
import { networkContradictions } from './network-contradictions.ts';
import type { DefaultContext } from './setting.ts';
import { type Config, namesOf, SETTING_NAMES, type SettingName, settingSpec } from './settings.ts';
import { ssoContradictions } from './sso-contradictions.ts';
import { unknownFlag, unknownKey, unknownVariable } from './unknown-names.ts';

export type ConfigSource = 'flag' | 'environment' | 'file' | 'default';

/** Where a value came from: the flag, variable or file by name; for defaults, how the default is worded. */
export interface Origin {
  source: ConfigSource;
  detail: string;
}

export type Provenance = Readonly<Record<SettingName, Origin>>;

/** `--config FILE` is not a setting: it says where settings are. */
export const CONFIG_FILE_FLAG = 'config';
export const CONFIG_FILE_VARIABLE = 'TALLYGATE_CONFIG';

export interface LoadOptions {
  /** Settings from the command line by name (`dataDir`), and `config`; undefined ones were not given. */
  flags: Readonly<Record<string, string | number | boolean | undefined>>;
  env: Readonly<Record<string, string | undefined>>;
  /** Relative paths in flags and variables start here. */
  cwd: string;
  /** The text of a file, or null when there is none. */
  readFile: (path: string) => string | null;
  /** Left out, data and settings file are looked for in `cwd`. */
  installation?: Installation;
}

export interface LoadedConfig {
  config: Config;
  provenance: Provenance;
}

/** The file that a setting in force comes from; null when none does. */
export function settingsFileOf(provenance: Provenance): string | null {
  return Object.values(provenance).find(({ source }) => source === 'file')?.detail ?? null;
}

/** A value as it was written, before it is checked. */
interface Given {
  value: unknown;
  origin: Origin;
  /** What a relative path in it starts from. */
  base: string;
}

interface FileContent {
  path: string;
  values: Readonly<Record<string, unknown>>;
}

/**
 * Reads every setting: flags win over environment variables, these over `tallygate.toml`, that over the
 * default. An empty variable counts as not set (compose files pass `${PORT:-}`).
 * @throws ConfigError naming every unknown name and every value that does not hold.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const file = readConfigFile(options, problems);
  problems.push(...unknownNames(options, file));

  const defaults: DefaultContext = {
    defaultDataDir: options.installation?.defaultDataDir ?? join(options.cwd, 'data'),
    dataDir: '',
  };
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const name of SETTING_NAMES) {
    const given = findGiven(name, options, file);
    origins[name] = given?.origin ?? { source: 'default', detail: settingSpec(name).defaultDoc ?? 'default' };
    values[name] = given === null ? defaultOf(name, defaults) : check(name, given, problems);
    if (name === 'dataDir') defaults.dataDir = String(values[name] ?? defaults.defaultDataDir);
  }
  if (problems.length === 0) problems.push(...contradictions(values as Config, origins as Provenance));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: values as Config, provenance: origins as Provenance };
}

function unknownNames(options: LoadOptions, file: FileContent): ConfigProblem[] {
  const given = Object.keys(options.flags).filter(
    (name) => options.flags[name] !== undefined && name !== CONFIG_FILE_FLAG,
  );
  return [
    ...given.map((name) => unknownFlag(name)),
    ...Object.keys(options.env).map((name) => unknownVariable(name)),
    ...Object.keys(file.values).map((key) => unknownKey(key, file.path)),
  ].filter((problem) => problem !== null);
}

function readConfigFile(options: LoadOptions, problems: ConfigProblem[]): FileContent {
  const asked = options.flags[CONFIG_FILE_FLAG] ?? (options.env[CONFIG_FILE_VARIABLE] || undefined);
  const standard = options.installation?.defaultConfigFile ?? join(options.cwd, 'tallygate.toml');
  const path = asked === undefined ? standard : resolve(options.cwd, String(asked));
  try {
    const text = options.readFile(path);
    if (text !== null) return { path, values: parseToml(text) };
    if (asked !== undefined) throw new Error('there is no such file');
  } catch (error) {
    problems.push({
      what: `The settings file ${path} cannot be used.`,
      why: error instanceof TomlError ? tomlReason(error) : String((error as Error).message),
      fix: `Mend the file, or name another one with --${CONFIG_FILE_FLAG} or ${CONFIG_FILE_VARIABLE}.`,
    });
  }
  return { path, values: {} };
}

/** Line and column only: the parser's message quotes the line, and the line may hold a password. */
function tomlReason(error: TomlError): string {
  const [summary = 'invalid TOML'] = error.message.split('\n');
  return `Line ${error.line}, column ${error.column}: ${summary.replace(/^Invalid TOML document: /, '')}.`;
}

function findGiven(name: SettingName, options: LoadOptions, file: FileContent): Given | null {
  const names = namesOf(name);
  const flagValue = options.flags[name];
  if (names.flag !== null && flagValue !== undefined) {
    return { value: String(flagValue), origin: { source: 'flag', detail: names.flag }, base: options.cwd };
  }
  for (const variable of names.env) {
    const value = options.env[variable];
    if (value) return { value, origin: { source: 'environment', detail: variable }, base: options.cwd };
  }
  if (names.toml !== null && Object.hasOwn(file.values, names.toml)) {
    const origin: Origin = { source: 'file', detail: file.path };
    return { value: file.values[names.toml], origin, base: dirname(file.path) };
  }
  return null;
}

function defaultOf(name: SettingName, context: DefaultContext): unknown {
  const fallback = settingSpec(name).default;
  return typeof fallback === 'function' ? fallback(context) : fallback;
}

function check(name: SettingName, given: Given, problems: ConfigProblem[]): unknown {
  const { kind, doc } = settingSpec(name);
  const result = kind.schema(given.base).safeParse(given.value);
  if (result.success) return result.data;
  problems.push({
    what: `The value of ${name} (${describeOrigin(given.origin)}) is not valid${quoted(name, given.value)}.`,
    why: `Expected ${kind.expected}. ${doc}`,
    fix: `Change it, or remove it to use the default (${defaultText(name)}).`,
  });
  return null;
}

function describeOrigin(origin: Origin): string {
  return origin.source === 'environment' ? `environment variable ${origin.detail}` : origin.detail;
}

/** Quotes what was written, unless it might hold a secret. */
function quoted(name: SettingName, value: unknown): string {
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!plain || settingSpec(name).kind.secret) return '';
  return `: ${JSON.stringify(value).slice(0, 80)}`;
}

function contradictions(config: Config, origins: Provenance): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (config.sessionIdleMs > config.sessionAbsoluteMs) {
    problems.push({
      what: 'sessionIdleMs is longer than sessionAbsoluteMs.',
      why: 'No session can stay unused for longer than it may live.',
      fix: `Set sessionIdleMs to at most ${config.sessionAbsoluteMs}, or raise sessionAbsoluteMs.`,
    });
  }
  if ((config.dashboardUsername === null) !== (config.dashboardPassword === null)) {
    problems.push({
      what: `Only the ${config.dashboardUsername === null ? 'password' : 'name'} of the first owner is set.`,
      why: 'The owner is made from both, and there is no default for either.',
      fix: 'Set DASHBOARD_USERNAME and DASHBOARD_PASSWORD together, or neither.',
    });
  }
  if (config.rateLimitMaxRequests === null && origins.rateLimitWindowMs.source !== 'default') {
    problems.push({
      what: `rateLimitWindowMs (${describeOrigin(origins.rateLimitWindowMs)}) is set, but rateLimitMaxRequests is not.`,
      why: 'A window without a number of requests limits nothing.',
      fix: 'Set RATE_LIMIT_MAX_REQUESTS as well, or remove RATE_LIMIT_WINDOW_MS.',
    });
  }
  problems.push(...networkContradictions(config));
  problems.push(...ssoContradictions(config), ...keyContradictions(config));
  return problems;
}

/** The default in words. */
export function defaultText(name: SettingName): string {
  const { default: fallback, defaultDoc } = settingSpec(name);
  if (defaultDoc !== undefined) return defaultDoc.replaceAll('`', '');
  return String(fallback);
}
