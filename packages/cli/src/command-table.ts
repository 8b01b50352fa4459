import type { CommandDefinition } from './command.ts';

type Loader = () => Promise<CommandDefinition>;

/** What the first words of noun-verb commands stand for. */
export const NOUNS: Readonly<Record<string, string>> = {
  keys: 'API keys that clients send',
  accounts: 'Upstream accounts that requests are sent with',
  projects: 'Projects that keys and spend belong to',
  rollups: 'Hourly and daily sums kept beside the ledger',
  config: 'Settings of the server',
};

/** Every command, in the order help shows them. Loading is deferred: a command costs only itself. */
export const COMMANDS: Readonly<Record<string, Loader>> = {
  start: async () => (await import('./commands/start.ts')).start,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  connect: async () => (await import('./commands/connect.ts')).connect,
  'keys create': async () => (await import('./commands/keys/create.ts')).keysCreate,
  'keys list': async () => (await import('./commands/keys/list.ts')).keysList,
  'keys rename': async () => (await import('./commands/keys/rename.ts')).keysRename,
  'keys revoke': async () => (await import('./commands/keys/revoke.ts')).keysRevoke,
  'accounts add': async () => (await import('./commands/accounts/add.ts')).accountsAdd,
  'accounts list': async () => (await import('./commands/accounts/list.ts')).accountsList,
  'accounts test': async () => (await import('./commands/accounts/test.ts')).accountsTest,
  'accounts pause': async () => (await import('./commands/accounts/pause.ts')).accountsPause,
  'accounts resume': async () => (await import('./commands/accounts/resume.ts')).accountsResume,
  'accounts remove': async () => (await import('./commands/accounts/remove.ts')).accountsRemove,
  pool: async () => (await import('./commands/pool.ts')).pool,
  'projects list': async () => (await import('./commands/projects/list.ts')).projectsList,
  'projects create': async () => (await import('./commands/projects/create.ts')).projectsCreate,
  usage: async () => (await import('./commands/usage.ts')).usage,
  requests: async () => (await import('./commands/requests.ts')).requests,
  price: async () => (await import('./commands/price.ts')).price,
  backup: async () => (await import('./commands/backup.ts')).backup,
  restore: async () => (await import('./commands/restore.ts')).restore,
  'rollups rebuild': async () => (await import('./commands/rollups/rebuild.ts')).rollupsRebuild,
  'rollups verify': async () => (await import('./commands/rollups/verify.ts')).rollupsVerify,
  'config explain': async () => (await import('./commands/config/explain.ts')).configExplain,
  version: async () => (await import('./commands/version.ts')).version,
};

/** Loads every command: for help, for suggestions and for the documentation. */
export async function loadAllCommands(): Promise<CommandDefinition[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/**
 * The command the arguments name, when they name one exactly: then nothing else has to be loaded.
 * Global options may stand before it; `valued` are those of them that take a value.
 */
export function commandNamed(args: readonly string[], valued: readonly string[]): string | null {
  const words: string[] = [];
  for (let i = 0; i < args.length && words.length < 2; i++) {
    const arg = args[i] ?? '';
    if (valued.includes(arg)) i++;
    else if (!arg.startsWith('-')) words.push(arg);
    else if (words.length > 0) break;
  }
  const pair = words.join(' ');
  if (Object.hasOwn(COMMANDS, pair)) return pair;
  return words[0] !== undefined && Object.hasOwn(COMMANDS, words[0]) ? words[0] : null;
}
