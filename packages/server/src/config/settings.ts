import { POOL_STRATEGIES, type PoolStrategy } from '@tallygate/contract/api/pool';
import type { Secret } from '../kernel/secret.ts';
import { KEY_SETTINGS } from './key-settings.ts';
import { NETWORK_SETTINGS } from './network-settings.ts';
import { NODE_SETTINGS } from './node-settings.ts';
import { OAUTH_SETTINGS } from './oauth-settings.ts';
import {
  type Channel,
  clientKey,
  databaseUrl,
  filePath,
  folder,
  hostName,
  keyOf32Bytes,
  longSecret,
  oneOf,
  optionalNumber,
  type SettingSpec,
  secretText,
  setting,
  switchKind,
  text,
  wholeNumber,
} from './setting.ts';
import { SSO_SETTINGS } from './sso-settings.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** A password on a command line is seen by every user of the machine; one in a file is committed by accident. */
const ENVIRONMENT_ONLY: readonly Channel[] = ['environment'];

/**
 * Every setting there is. The names users type follow from the key: `maxBodyBytes` is `--max-body-bytes`,
 * `TALLYGATE_MAX_BODY_BYTES` and, in `tallygate.toml`, `max_body_bytes`.
 */
export const SETTINGS = {
  dataDir: setting<string>({
    kind: folder(),
    default: (context) => context.defaultDataDir,
    defaultDoc: '`data` in the clone; `~/.local/share/tallygate` when installed as a package',
    group: 'Storage',
    doc: 'Folder of everything this installation keeps: database, journal, master key, control socket.',
  }),
  dbUrl: setting<Secret>({
    kind: databaseUrl(),
    default: (context) => databaseUrl().schema(context.dataDir).parse('sqlite:tallygate.db'),
    defaultDoc: '`sqlite:tallygate.db` in the data directory',
    group: 'Storage',
    aliases: ['DB_URL'],
    doc: 'Database: sqlite:PATH or postgres://user:password@host:port/name.',
  }),
  masterKey: setting<Secret | null>({
    kind: keyOf32Bytes(),
    default: null,
    defaultDoc: 'a key file in the data directory, made on first start',
    group: 'Storage',
    channels: ENVIRONMENT_ONLY,
    doc: 'Key that seals the upstream credentials: 32 bytes in hexadecimal or base64.',
  }),

  ...KEY_SETTINGS,

  host: setting<string>({
    kind: hostName(),
    default: '127.0.0.1',
    group: 'Server',
    aliases: ['HOST'],
    doc: 'Address to listen on. Any address but loopback is refused until an owner exists.',
  }),
  port: setting<number>({
    kind: wholeNumber(0, 65_535),
    default: 4100,
    group: 'Server',
    aliases: ['PORT'],
    doc: 'Port to listen on; 0 takes any free one.',
  }),
  headless: setting<boolean>({
    kind: switchKind(),
    default: false,
    group: 'Server',
    aliases: ['HEADLESS'],
    doc: 'Serves no dashboard; / answers a plain-text banner, everything else goes on.',
  }),
  shutdownGraceMs: setting<number>({
    kind: wholeNumber(0, HOUR_MS),
    default: 30 * SECOND_MS,
    group: 'Server',
    doc: 'How long running requests may finish after a stop signal before they are cut and settled.',
  }),

  maxBodyBytes: setting<number>({
    kind: wholeNumber(KIB, GIB),
    default: 32 * MIB,
    group: 'Proxy',
    doc: 'Largest request body, counted on the bytes received; larger ones answer 413.',
  }),
  maxBodiesBytes: setting<number>({
    kind: wholeNumber(MIB, 1024 * GIB),
    default: GIB,
    group: 'Proxy',
    doc: 'How much of all request bodies may be in memory at once, never less than one of the largest; beyond it new ones answer 503. A body stays until its upstream has taken it and begins to answer.',
  }),
  connectTimeoutMs: setting<number>({
    kind: wholeNumber(100, 10 * 60 * SECOND_MS),
    default: 10 * SECOND_MS,
    group: 'Proxy',
    doc: 'How long opening a connection to an upstream may take.',
  }),
  firstByteTimeoutMs: setting<number>({
    kind: wholeNumber(SECOND_MS, DAY_MS),
    default: 600 * SECOND_MS,
    group: 'Proxy',
    doc: 'How long an upstream may take from the request to the head of its answer.',
  }),
  idleTimeoutMs: setting<number>({
    kind: wholeNumber(SECOND_MS, DAY_MS),
    default: 300 * SECOND_MS,
    group: 'Proxy',
    doc: 'How long an answer that has begun may stay silent, and how long a client may take nothing of what is there for it.',
  }),
  drainMaxMs: setting<number>({
    kind: wholeNumber(0, HOUR_MS),
    default: 30 * SECOND_MS,
    group: 'Proxy',
    doc: 'How long an answer is still read after its client left, in projects that drain to learn the usage.',
  }),
  drainMaxBytes: setting<number>({
    kind: wholeNumber(0, GIB),
    default: 16 * MIB,
    group: 'Proxy',
    doc: 'How much of such an answer is still read.',
  }),

  rateLimitMaxRequests: setting<number | null>({
    kind: optionalNumber(1, 1_000_000_000),
    default: null,
    defaultDoc: 'not set: only the limits that are made hold',
    group: 'Proxy',
    aliases: ['RATE_LIMIT_MAX_REQUESTS'],
    doc: 'Requests that each API key, each session and each address may send in RATE_LIMIT_WINDOW_MS.',
  }),
  rateLimitWindowMs: setting<number>({
    kind: wholeNumber(SECOND_MS, DAY_MS),
    default: 60 * SECOND_MS,
    group: 'Proxy',
    aliases: ['RATE_LIMIT_WINDOW_MS'],
    doc: 'The window of RATE_LIMIT_MAX_REQUESTS; refused without it.',
  }),
  countTokensMs: setting<number>({
    kind: wholeNumber(0, 30 * SECOND_MS),
    default: 2 * SECOND_MS,
    group: 'Proxy',
    doc: 'How long a provider may take to count the input of a request that a budget would refuse although it is likely to fit; 0 asks no provider.',
  }),
  translateLosses: setting<'refuse' | 'drop'>({
    kind: oneOf(['refuse', 'drop']),
    default: 'refuse',
    group: 'Proxy',
    aliases: ['TRANSLATE_LOSSES'],
    doc: 'What is done when a request has to be translated for an upstream of another API that has no place for a part of it: refuse the request, or drop the part and name it in x-tallygate-dropped.',
  }),

  poolStrategy: setting<PoolStrategy>({
    kind: oneOf(POOL_STRATEGIES),
    default: 'session',
    group: 'Accounts',
    aliases: ['LB_STRATEGY'],
    doc: 'How an account is chosen among those of equal priority, until another way is chosen while running.',
  }),
  sessionDurationMs: setting<number>({
    kind: wholeNumber(SECOND_MS, 30 * DAY_MS),
    default: 5 * HOUR_MS,
    group: 'Accounts',
    aliases: ['SESSION_DURATION_MS'],
    doc: 'How long a session keeps its account with the session strategy.',
  }),
  retryAttempts: setting<number>({
    kind: wholeNumber(0, 20),
    default: 3,
    group: 'Accounts',
    aliases: ['RETRY_ATTEMPTS'],
    doc: 'How often a failed request goes round the accounts again; 0 never tries again, on no account.',
  }),
  retryDelayMs: setting<number>({
    kind: wholeNumber(0, 60 * SECOND_MS),
    default: SECOND_MS,
    group: 'Accounts',
    aliases: ['RETRY_DELAY_MS'],
    doc: 'Pause before the first new round, shortened by up to half at random; an account that is free is tried at once.',
  }),
  retryBackoff: setting<number>({
    kind: wholeNumber(1, 10),
    default: 2,
    group: 'Accounts',
    aliases: ['RETRY_BACKOFF'],
    doc: 'By how much that pause grows with each round.',
  }),
  retryDeadlineMs: setting<number>({
    kind: wholeNumber(0, HOUR_MS),
    default: 60 * SECOND_MS,
    group: 'Accounts',
    doc: 'No attempt starts later than this after the request came.',
  }),

  ...OAUTH_SETTINGS,

  journalFsync: setting<'process' | 'disk'>({
    kind: oneOf(['process', 'disk']),
    default: 'process',
    group: 'Journal',
    doc: 'What a journal entry survives: process = a killed process, disk = also a loss of power (slower).',
  }),
  journalReserveBytes: setting<number>({
    kind: wholeNumber(0, 64 * GIB),
    default: 64 * MIB,
    group: 'Journal',
    doc: 'Disk space the journal keeps for itself, so that running requests can be settled on a full disk.',
  }),
  journalMaxWaitingBytes: setting<number>({
    kind: wholeNumber(64 * KIB, GIB),
    default: 64 * MIB,
    group: 'Journal',
    doc: 'How much may wait in memory while the journal cannot be written; beyond it requests are refused.',
  }),

  dashboardUsername: setting<string | null>({
    kind: text(64),
    default: null,
    defaultDoc: 'not set: the first owner is made through the set-up link',
    group: 'Access',
    aliases: ['DASHBOARD_USERNAME'],
    channels: ['environment', 'file'],
    doc: 'Name of the first owner, for a start without a browser; ignored once an owner exists.',
  }),
  dashboardPassword: setting<Secret | null>({
    kind: secretText(1024),
    default: null,
    defaultDoc: 'not set',
    group: 'Access',
    aliases: ['DASHBOARD_PASSWORD'],
    channels: ENVIRONMENT_ONLY,
    doc: 'Password of the first owner; set together with the name.',
  }),
  apiKey: setting<Secret | null>({
    kind: clientKey(),
    default: null,
    defaultDoc: 'not set',
    group: 'Access',
    aliases: ['TOKENWATCHER_API_KEY'],
    channels: ENVIRONMENT_ONLY,
    doc: 'An API key for local work, at least 32 characters; not taken where NODE_ENV is production.',
  }),
  allowEnvironmentKey: setting<boolean>({
    kind: switchKind(),
    default: false,
    group: 'Access',
    doc: 'Takes the API key from the environment in production too.',
  }),
  nodeEnv: setting<string | null>({
    kind: text(64),
    default: null,
    defaultDoc: 'not set',
    group: 'Access',
    aliases: ['NODE_ENV'],
    channels: ENVIRONMENT_ONLY,
    doc: 'What kind of place this is; only `production` means something.',
  }),
  enableClientAuth: setting<boolean>({
    kind: switchKind(),
    default: true,
    group: 'Access',
    aliases: ['ENABLE_CLIENT_AUTH'],
    doc: 'Off, programs on this machine need no API key; refused on any address but loopback.',
  }),
  hashUserIds: setting<boolean>({
    kind: switchKind(),
    default: false,
    group: 'Access',
    aliases: ['HASH_USER_IDS'],
    doc: 'Stores the ids that clients send for users and sessions as keyed hashes only.',
  }),
  sessionSecret: setting<Secret | null>({
    kind: longSecret(),
    default: null,
    defaultDoc: 'not set: sessions are kept as plain hashes of random values',
    group: 'Access',
    aliases: ['DASHBOARD_SESSION_SECRET'],
    channels: ENVIRONMENT_ONLY,
    doc: 'Keys the stored hashes of dashboard sessions. Changing it ends every session.',
  }),
  sessionIdleMs: setting<number>({
    kind: wholeNumber(60 * SECOND_MS, 30 * DAY_MS),
    default: DAY_MS,
    group: 'Access',
    doc: 'A dashboard session ends after this long without use.',
  }),
  sessionAbsoluteMs: setting<number>({
    kind: wholeNumber(60 * SECOND_MS, 365 * DAY_MS),
    default: 7 * DAY_MS,
    group: 'Access',
    doc: 'A dashboard session ends after this long, used or not.',
  }),

  ...SSO_SETTINGS,

  ...NETWORK_SETTINGS,
  ...NODE_SETTINGS,

  logLevel: setting<'debug' | 'info' | 'warn' | 'error' | 'silent'>({
    kind: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    group: 'Logging and metrics',
    doc: 'Least severe level written to standard error.',
  }),
  logFile: setting<string | null>({
    kind: filePath(),
    default: null,
    defaultDoc: 'not set: standard error only',
    group: 'Logging and metrics',
    aliases: ['LOG_FILE'],
    doc: 'File that log lines are written to as well; readable by its owner only, rotated, old ones compressed.',
  }),
  logFileMaxBytes: setting<number>({
    kind: wholeNumber(64 * KIB, 10 * GIB),
    default: 10 * MIB,
    group: 'Logging and metrics',
    doc: 'A log file that would grow beyond this is put aside and compressed.',
  }),
  logFileMaxAgeMs: setting<number>({
    kind: wholeNumber(60 * SECOND_MS, 365 * DAY_MS),
    default: DAY_MS,
    group: 'Logging and metrics',
    doc: 'A log file that was begun this long ago is put aside and compressed.',
  }),
  logFileKeep: setting<number>({
    kind: wholeNumber(0, 10_000),
    default: 14,
    group: 'Logging and metrics',
    doc: 'How many compressed log files stay; older ones are removed.',
  }),
  metricsEnabled: setting<boolean>({
    kind: switchKind(),
    default: true,
    group: 'Logging and metrics',
    doc: 'Answers /metrics to a credential that may read it.',
  }),
};

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends SettingSpec<infer T> ? T : never;

/** The settings in force. Plain data; secrets cannot be printed. */
export type Config = { readonly [N in SettingName]: ValueOf<(typeof SETTINGS)[N]> };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The table row without its value type, for code that treats all settings alike. */
export function settingSpec(name: SettingName): SettingSpec<unknown> {
  return SETTINGS[name] as SettingSpec<unknown>;
}

/** What users type for a setting; null where that channel is closed to it. */
export interface SettingNames {
  flag: string | null;
  env: readonly string[];
  toml: string | null;
}

export function namesOf(name: SettingName): SettingNames {
  const { channels = ['flag', 'environment', 'file'], aliases = [] } = settingSpec(name);
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return {
    flag: channels.includes('flag') ? `--${snake.replaceAll('_', '-')}` : null,
    env: [`TALLYGATE_${snake.toUpperCase()}`, ...aliases],
    toml: channels.includes('file') ? snake : null,
  };
}
