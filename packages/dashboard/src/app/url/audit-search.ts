import type { AuditOutcome } from '@tallygate/contract/api/audit';

/** The contract's list; not taken from there, because its schemas are not a part of the first load. */
export const OUTCOMES = ['started', 'ok', 'refused', 'failed'] as const satisfies AuditOutcome[];

/** What the audit screen is narrowed by, and which entry is open. The filters' names are the API's. */
export interface AuditSearch {
  outcome?: AuditOutcome;
  resource?: string;
  address?: string;
  actor?: string;
  entry?: string;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : undefined;

/** Reads it out of untrusted search parameters; what does not hold is dropped. */
export function parseAuditSearch(raw: Record<string, unknown>): AuditSearch {
  const outcome = OUTCOMES.find((item) => item === raw.outcome);
  const search: AuditSearch = outcome === undefined ? {} : { outcome };
  for (const name of ['resource', 'address', 'actor'] as const) {
    const value = text(raw[name]);
    if (value !== undefined) search[name] = value;
  }
  if (typeof raw.entry === 'string' && /^[1-9]\d{0,14}$/.test(raw.entry)) search.entry = raw.entry;
  return search;
}
