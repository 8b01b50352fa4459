import type { CommandDefinition } from './command.ts';

type Loader = () => Promise<CommandDefinition>;

/** What the first words of noun-verb commands stand for. */
export const NOUNS: Readonly<Record<string, string>> = {
  keys: 'API keys that clients send',
  accounts: 'Upstream accounts that requests are sent with',
  requests: 'What passed the gate',
  pools: 'Choices of accounts, each with a strategy',
  rules: 'What becomes of requests before an account is chosen',
  projects: 'Projects that keys and spend belong to',
  import: 'What other systems know: accounts, keys, history',
  budgets: 'Limits on what may be spent',
  alerts: 'What is watched, and what was told',
  channels: 'Where alerts go',
  workspaces: 'Parts of the installation that see nothing of one another',
  limits: 'Limits on requests, tokens and what runs at once',
  users: 'People who can sign in, and their roles',
  sessions: 'Who is signed in where',
  rollups: 'Hourly and daily sums kept beside the ledger',
  audit: 'Record of who did what, and proof that it is whole',
  incident: 'What to do when something leaked',
  vault: 'Keys that seal the stored credentials',
  config: 'Settings of the server',
  store: 'Tables of the database, and who may change them',
};

/** Every command, in the order help shows them. Loading is deferred: a command costs only itself. */
export const COMMANDS: Readonly<Record<string, Loader>> = {
  start: async () => (await import('./commands/start.ts')).start,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  'security-check': async () => (await import('./commands/security-check.ts')).securityCheck,
  connect: async () => (await import('./commands/connect.ts')).connect,
  'keys create': async () => (await import('./commands/keys/create.ts')).keysCreate,
  'keys list': async () => (await import('./commands/keys/list.ts')).keysList,
  'keys rename': async () => (await import('./commands/keys/rename.ts')).keysRename,
  'keys rotate': async () => (await import('./commands/keys/rotate.ts')).keysRotate,
  'keys limit': async () => (await import('./commands/keys/limit.ts')).keysLimit,
  'keys owner': async () => (await import('./commands/keys/owner.ts')).keysOwner,
  'keys revoke': async () => (await import('./commands/keys/revoke.ts')).keysRevoke,
  'accounts add': async () => (await import('./commands/accounts/add.ts')).accountsAdd,
  'accounts login': async () => (await import('./commands/accounts/login.ts')).accountsLogin,
  'accounts list': async () => (await import('./commands/accounts/list.ts')).accountsList,
  'accounts test': async () => (await import('./commands/accounts/test.ts')).accountsTest,
  'accounts pause': async () => (await import('./commands/accounts/pause.ts')).accountsPause,
  'accounts resume': async () => (await import('./commands/accounts/resume.ts')).accountsResume,
  'accounts remove': async () => (await import('./commands/accounts/remove.ts')).accountsRemove,
  'accounts update': async () => (await import('./commands/accounts/update.ts')).accountsUpdate,
  pool: async () => (await import('./commands/pool.ts')).pool,
  'pools list': async () => (await import('./commands/pools/list.ts')).poolsList,
  'pools create': async () => (await import('./commands/pools/create.ts')).poolsCreate,
  'pools update': async () => (await import('./commands/pools/update.ts')).poolsUpdate,
  'pools remove': async () => (await import('./commands/pools/remove.ts')).poolsRemove,
  'rules list': async () => (await import('./commands/rules/list.ts')).rulesList,
  'rules add': async () => (await import('./commands/rules/add.ts')).rulesAdd,
  'rules enable': async () => (await import('./commands/rules/change.ts')).rulesEnable,
  'rules disable': async () => (await import('./commands/rules/change.ts')).rulesDisable,
  'rules move': async () => (await import('./commands/rules/change.ts')).rulesMove,
  'rules remove': async () => (await import('./commands/rules/change.ts')).rulesRemove,
  'rules test': async () => (await import('./commands/rules/test.ts')).rulesTest,
  'projects list': async () => (await import('./commands/projects/list.ts')).projectsList,
  'projects update': async () => (await import('./commands/projects/update.ts')).projectsUpdate,
  'projects create': async () => (await import('./commands/projects/create.ts')).projectsCreate,
  'budgets create': async () => (await import('./commands/budgets/create.ts')).budgetsCreate,
  'budgets list': async () => (await import('./commands/budgets/list.ts')).budgetsList,
  'budgets show': async () => (await import('./commands/budgets/show.ts')).budgetsShow,
  'budgets holds': async () => (await import('./commands/budgets/holds.ts')).budgetsHolds,
  'budgets update': async () => (await import('./commands/budgets/update.ts')).budgetsUpdate,
  'budgets remove': async () => (await import('./commands/budgets/remove.ts')).budgetsRemove,
  'alerts create': async () => (await import('./commands/alerts/create.ts')).alertsCreate,
  'alerts update': async () => (await import('./commands/alerts/update.ts')).alertsUpdate,
  'alerts list': async () => (await import('./commands/alerts/list.ts')).alertsList,
  'alerts enable': async () => (await import('./commands/alerts/enable.ts')).alertsEnable,
  'alerts disable': async () => (await import('./commands/alerts/disable.ts')).alertsDisable,
  'alerts remove': async () => (await import('./commands/alerts/remove.ts')).alertsRemove,
  'alerts test': async () => (await import('./commands/alerts/test.ts')).alertsTest,
  'alerts history': async () => (await import('./commands/alerts/history.ts')).alertsHistory,
  'alerts deliveries': async () => (await import('./commands/alerts/deliveries.ts')).alertsDeliveries,
  'alerts redeliver': async () => (await import('./commands/alerts/redeliver.ts')).alertsRedeliver,
  'alerts evaluate': async () => (await import('./commands/alerts/evaluate.ts')).alertsEvaluate,
  'channels add': async () => (await import('./commands/channels/add.ts')).channelsAdd,
  'channels list': async () => (await import('./commands/channels/list.ts')).channelsList,
  'channels update': async () => (await import('./commands/channels/update.ts')).channelsUpdate,
  'channels test': async () => (await import('./commands/channels/test.ts')).channelsTest,
  'channels enable': async () => (await import('./commands/channels/enable.ts')).channelsEnable,
  'channels disable': async () => (await import('./commands/channels/disable.ts')).channelsDisable,
  'channels remove': async () => (await import('./commands/channels/remove.ts')).channelsRemove,
  'workspaces list': async () => (await import('./commands/workspaces/list.ts')).workspacesList,
  'workspaces create': async () => (await import('./commands/workspaces/create.ts')).workspacesCreate,
  'workspaces rename': async () => (await import('./commands/workspaces/rename.ts')).workspacesRename,
  'workspaces addresses': async () =>
    (await import('./commands/workspaces/addresses.ts')).workspacesAddresses,
  'workspaces add-member': async () =>
    (await import('./commands/workspaces/add-member.ts')).workspacesAddMember,
  'limits create': async () => (await import('./commands/limits/create.ts')).limitsCreate,
  'limits list': async () => (await import('./commands/limits/list.ts')).limitsList,
  'limits show': async () => (await import('./commands/limits/show.ts')).limitsShow,
  'limits update': async () => (await import('./commands/limits/update.ts')).limitsUpdate,
  'limits remove': async () => (await import('./commands/limits/remove.ts')).limitsRemove,
  'users list': async () => (await import('./commands/users/list.ts')).usersList,
  'users invite': async () => (await import('./commands/users/invite.ts')).usersInvite,
  'users role': async () => (await import('./commands/users/role.ts')).usersRole,
  'users disable': async () => (await import('./commands/users/disable.ts')).usersDisable,
  'users enable': async () => (await import('./commands/users/enable.ts')).usersEnable,
  'users remove': async () => (await import('./commands/users/remove.ts')).usersRemove,
  'users reset-password': async () => (await import('./commands/users/reset-password.ts')).usersResetPassword,
  'sessions list': async () => (await import('./commands/sessions/list.ts')).sessionsList,
  'sessions revoke': async () => (await import('./commands/sessions/revoke.ts')).sessionsRevoke,
  usage: async () => (await import('./commands/usage.ts')).usage,
  requests: async () => (await import('./commands/requests.ts')).requests,
  'requests redact': async () => (await import('./commands/redact-requests.ts')).requestsRedact,
  price: async () => (await import('./commands/price.ts')).price,
  'import ccflare': async () => (await import('./commands/import/ccflare.ts')).importCcflare,
  'import nexus': async () => (await import('./commands/import/nexus.ts')).importNexus,
  backup: async () => (await import('./commands/backup.ts')).backup,
  restore: async () => (await import('./commands/restore.ts')).restore,
  'store migrate': async () => (await import('./commands/store/migrate.ts')).storeMigrate,
  'store grant-role': async () => (await import('./commands/store/grant-role.ts')).storeGrantRole,
  'vault status': async () => (await import('./commands/vault/status.ts')).vaultStatus,
  'vault rotate-data-key': async () =>
    (await import('./commands/vault/rotate-data-key.ts')).vaultRotateDataKey,
  'vault rotate-master-key': async () =>
    (await import('./commands/vault/rotate-master-key.ts')).vaultRotateMasterKey,
  'rollups rebuild': async () => (await import('./commands/rollups/rebuild.ts')).rollupsRebuild,
  'rollups verify': async () => (await import('./commands/rollups/verify.ts')).rollupsVerify,
  'audit list': async () => (await import('./commands/audit/list.ts')).auditList,
  'audit verify': async () => (await import('./commands/audit/verify.ts')).auditVerify,
  'audit export': async () => (await import('./commands/audit/export.ts')).auditExport,
  'incident pause': async () => (await import('./commands/incident/pause.ts')).incidentPause,
  'incident resume': async () => (await import('./commands/incident/resume.ts')).incidentResume,
  'incident rotate-all': async () => (await import('./commands/incident/rotate-all.ts')).incidentRotateAll,
  'incident revoke-sessions': async () =>
    (await import('./commands/incident/revoke-sessions.ts')).incidentRevokeSessions,
  'incident export': async () => (await import('./commands/incident/export.ts')).incidentExport,
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
