import {
  type ImportedAccount,
  type ImportedEvent,
  type ImportedKey,
  importedEvent,
} from '@tallygate/contract/api/imports';

/** What cannot be taken over, and why. */
export interface ImportProblem {
  ref: string;
  reason: string;
}

export interface ImportPage {
  events: ImportedEvent[];
  problems: ImportProblem[];
}

/** What another system left behind, read and never changed. */
export interface ImportContents {
  accounts: ImportedAccount[];
  keys: ImportedKey[];
  /** Accounts and keys that cannot be understood. */
  problems: ImportProblem[];
  /** Past requests, a page at a time, each with all pages before it in order. */
  events(): AsyncIterable<ImportPage>;
  close(): Promise<void>;
}

/** What is given does not look like that system. The message says what is missing. */
export class ImportSourceError extends Error {
  override readonly name = 'ImportSourceError';
}

export const PAGE_ROWS = 500;

/**
 * The rows of a page as past requests. The gate refuses a whole call for one of them that the contract does not take, so
 * such a row is left out and named.
 * @param read null for a row without an id or a time
 */
export function pageOf<Row>(
  rows: readonly Row[],
  refOf: (row: Row) => unknown,
  read: (row: Row) => ImportedEvent | null,
): ImportPage {
  const page: ImportPage = { events: [], problems: [] };
  for (const row of rows) {
    const event = read(row);
    const parsed = event === null ? null : importedEvent.safeParse(event);
    if (parsed?.success === true) {
      page.events.push(parsed.data);
      continue;
    }
    const ref = textOf(refOf(row), 200) ?? '?';
    const field = parsed?.error?.issues[0]?.path.join('.');
    const reason = field === undefined ? 'has no id or no time' : `has a "${field}" that makes no sense`;
    page.problems.push({ ref, reason });
  }
  return page;
}

/** A count as it is stored elsewhere, however large; null for what is none. */
export function countOf(value: unknown): number | null {
  const number = typeof value === 'bigint' || typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : null;
}

/** Later years are not written with four digits, as the contract has instants. */
const END_OF_YEAR_9999_MS = Date.UTC(10_000, 0);

/** An instant in epoch milliseconds as the contract takes it; null for what is none. */
export function instantOf(value: unknown): string | null {
  const ms = countOf(value);
  return ms !== null && ms > 0 && ms < END_OF_YEAR_9999_MS ? new Date(ms).toISOString() : null;
}

/** A length of time that makes sense; null for what does not. */
export function millisecondsOf(value: unknown): number | null {
  const number = typeof value === 'bigint' || typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : null;
}

/** Text of a length that the contract takes; null for anything else. */
export function textOf(value: unknown, maxChars: number): string | null {
  return typeof value === 'string' && value !== '' && value.length <= maxChars ? value : null;
}

/** HTTP status; null for what is none. */
export function httpStatusOf(value: unknown): number | null {
  const status = countOf(value);
  return status !== null && status >= 100 && status <= 599 ? status : null;
}

/** How a request ended, by the little that these systems keep. */
export function statusOf(ok: boolean, httpStatus: number | null): ImportedEvent['status'] {
  if (ok) return 'ok';
  return httpStatus !== null && httpStatus >= 400 && httpStatus < 500 ? 'client_error' : 'upstream_error';
}

/** A name for a project, out of anything. */
export function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return slug === '' ? 'imported' : slug;
}

/** A name as the contract takes it. */
export function nameOf(value: unknown, otherwise: string): string {
  const text =
    typeof value === 'string'
      ? value
          .replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, ' ')
          .trim()
          .slice(0, 90)
      : '';
  return text === '' ? otherwise : text;
}
