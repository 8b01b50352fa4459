import { OAUTH_TOKEN_FORMATS } from '@tallygate/contract/api/oauth';
import { httpUrlOrNone, wordList } from './network-kinds.ts';
import { filePath, oneOf, setting, switchKind, text, wholeNumber } from './setting.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** The settings about upstream accounts that sign in with OAuth. Nothing about any provider is preset. */
export const OAUTH_SETTINGS = {
  oauthAccounts: setting<boolean>({
    kind: switchKind(),
    default: false,
    group: 'Accounts',
    doc: 'Permits upstream accounts that sign in with OAuth; read the terms of their providers first.',
  }),
  credentialsDir: setting<string | null>({
    kind: { ...filePath(), expected: 'the path of a folder', placeholder: 'dir' },
    default: null,
    defaultDoc: 'not set: no credential files',
    group: 'Accounts',
    aliases: ['CREDENTIALS_DIR'],
    doc: 'Folder of <domain>.credentials.json files: accounts and client keys by domain, read again when they change.',
  }),
  oauthRefreshAheadMs: setting<number>({
    kind: wholeNumber(MINUTE_MS, 24 * 60 * MINUTE_MS),
    default: 5 * MINUTE_MS,
    group: 'Accounts',
    doc: 'Tokens are renewed this long before they end, and up to half as much earlier at random.',
  }),
  oauthClientId: setting<string | null>({
    kind: text(500),
    default: null,
    defaultDoc: 'not set: given with each account',
    group: 'Accounts',
    aliases: ['CLAUDE_OAUTH_CLIENT_ID'],
    doc: 'Client id that OAuth accounts sign in with; register your own with the provider.',
  }),
  oauthAuthorizeUrl: setting<string | null>({
    kind: httpUrlOrNone(),
    default: null,
    defaultDoc: 'not set: given with each account',
    group: 'Accounts',
    doc: 'Page of the provider where a person agrees.',
  }),
  oauthTokenUrl: setting<string | null>({
    kind: httpUrlOrNone(),
    default: null,
    defaultDoc: 'not set: given with each account',
    group: 'Accounts',
    doc: "Address of the provider's token endpoint.",
  }),
  oauthRedirectUri: setting<string | null>({
    kind: httpUrlOrNone(),
    default: null,
    defaultDoc: 'not set: given with each account',
    group: 'Accounts',
    doc: 'Where the provider sends the code, as registered with it: a page that shows it, or an address of your own.',
  }),
  oauthScopes: setting<string[]>({
    kind: wordList(),
    default: [],
    group: 'Accounts',
    doc: 'Scopes that are asked for, with commas between them; as few as possible.',
  }),
  oauthTokenFormat: setting<(typeof OAUTH_TOKEN_FORMATS)[number]>({
    kind: oneOf(OAUTH_TOKEN_FORMATS),
    default: 'form',
    group: 'Accounts',
    doc: 'How the token endpoint is asked: form as the standard has it, json as some providers want it.',
  }),
};
