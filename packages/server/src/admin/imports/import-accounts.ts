import type { ImportedAccount, ImportRequest } from '@tallygate/contract/api/imports';
import type { OauthClient } from '@tallygate/contract/api/oauth';
import { AppError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import { newAccount } from '../accounts/routes.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toMs } from '../instant.ts';
import { toOauthRow } from '../oauth/oauth-rows.ts';
import { importClient } from './import-client.ts';
import { emptyTally, type ImportTally } from './import-tally.ts';
import { importedId } from './imported-id.ts';
import { providerOf } from './provider-of.ts';

interface ImportCall {
  source: ImportRequest['source'];
  dryRun: boolean;
  workspaceId: string;
}

const NO_CLIENT =
  'signs in with OAuth: set TALLYGATE_OAUTH_ACCOUNTS=true, TALLYGATE_OAUTH_TOKEN_URL and TALLYGATE_OAUTH_CLIENT_ID, then import again';

async function storeTokens(
  deps: AdminDeps,
  accountId: string,
  given: NonNullable<ImportedAccount['oauth']>,
  client: OauthClient,
): Promise<void> {
  const nowMs = deps.clock.now();
  const tokens = {
    client,
    // Without a token the first request renews: this one has ended already.
    accessToken: new Secret(given.accessToken ?? 'none'),
    refreshToken: new Secret(given.refreshToken),
    clientSecret: null,
    obtainedAtMs: nowMs,
    expiresAtMs: given.accessToken === null || given.expiresAt === null ? nowMs : toMs(given.expiresAt),
    reauthReason: null,
  };
  await deps.store.oauth.putAccountOauth(toOauthRow(accountId, tokens, deps.vault));
}

/** A name nobody has: that of the other system, or with its name behind it. */
function freeName(name: string, source: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let i = 1; ; i++) {
    const candidate = `${name.slice(0, 80)} (${source}${i === 1 ? '' : ` ${i}`})`;
    if (!taken.has(candidate)) return candidate;
  }
}

interface Known {
  ids: Set<string>;
  names: Set<string>;
  client: OauthClient | null;
}

/** Adds one account, under a name that nobody has. @throws AppError for one that could not be added by hand either */
async function addAccount(
  deps: AdminDeps,
  account: ImportedAccount,
  { source, dryRun, workspaceId }: ImportCall,
  { ids, names, client }: Known,
): Promise<void> {
  const { ref, apiKey, oauth, paused, apiFlavor, weight } = account;
  const id = importedId({ source, workspaceId }, 'account', ref);
  const name = freeName(account.name, source, names);
  const input = {
    provider: providerOf(deps, apiFlavor),
    weight,
    name,
    ...(apiKey === undefined ? {} : { apiKey }),
  };
  const row = newAccount({ ...deps, newId: () => id }, workspaceId, input, oauth !== undefined);
  if (!dryRun) {
    await deps.store.config.insertAccount({ ...row, paused });
    if (oauth !== undefined && client !== null) await storeTokens(deps, id, oauth, client);
  }
  ids.add(id);
  names.add(name);
}

/** Takes over accounts; what was readable there is sealed here before it is stored. */
export async function importAccounts(
  deps: AdminDeps,
  accounts: readonly ImportedAccount[],
  call: ImportCall,
): Promise<ImportTally> {
  const tally = emptyTally();
  const rows = await deps.store.config.listAccounts(call.workspaceId);
  const known: Known = {
    ids: new Set(rows.map(({ id }) => id)),
    names: new Set(rows.map(({ name }) => name)),
    client: importClient(deps),
  };
  for (const account of accounts) {
    const { ref } = account;
    if (known.ids.has(importedId(call, 'account', ref))) tally.present += 1;
    else if (account.oauth !== undefined && known.client === null)
      tally.skipped.push({ ref, reason: NO_CLIENT });
    else {
      try {
        await addAccount(deps, account, call, known);
        tally.added += 1;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        tally.skipped.push({ ref, reason: error.message });
      }
    }
  }
  return tally;
}
