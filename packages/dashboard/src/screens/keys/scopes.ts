import type { KeyScope } from '@tallygate/contract/api/keys';

/** What each scope lets its holder do, in the words shown beside its box. */
export const SCOPE_TEXT: Record<KeyScope, { label: string; text: string }> = {
  gateway: {
    label: 'Send requests',
    text: 'Call models through the gate. What an application or coding agent needs.',
  },
  read: { label: 'Read usage', text: 'Query spend, tokens and requests from the API.' },
  ingest: { label: 'Report usage', text: 'Report usage that went elsewhere into this ledger.' },
  embed: { label: 'Public counters', text: 'Show chosen totals on a web page. Safe to be seen by visitors.' },
  chat: { label: 'Chat widget', text: 'Run a chat widget on a web page.' },
  admin: {
    label: 'Administer',
    text: 'Everything an owner may do, keys and accounts included. Give it to nobody lightly.',
  },
};

/** Scopes offered when a key is made: those whose part of the product exists. */
export const OFFERED_SCOPES: KeyScope[] = ['gateway', 'read', 'admin'];

export type KeyState = 'active' | 'expired' | 'revoked';

/** A revoked key stays revoked whatever its expiry says. */
export function keyState(
  key: { revokedAt: string | null; expiresAt: string | null },
  nowMs: number,
): KeyState {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && Date.parse(key.expiresAt) <= nowMs ? 'expired' : 'active';
}
