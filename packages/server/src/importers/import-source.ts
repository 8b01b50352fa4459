import type { ImportedAccount, ImportedEvent, ImportedKey } from '@tallygate/contract/api/imports';

/** What another system left behind, read and never changed. */
export interface ImportContents {
  accounts: ImportedAccount[];
  keys: ImportedKey[];
  /** What of it cannot be understood, and why. */
  problems: { ref: string; reason: string }[];
  /** Past requests, a page at a time, each with all pages before it in order. */
  events(): AsyncIterable<ImportedEvent[]>;
  close(): Promise<void>;
}

/** What is given does not look like that system. The message says what is missing. */
export class ImportSourceError extends Error {
  override readonly name = 'ImportSourceError';
}

export const PAGE_ROWS = 500;

/** A count as it is stored elsewhere; null for what is none. */
export function countOf(value: unknown): number | null {
  const number = typeof value === 'bigint' || typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
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
          .replace(/\p{Cc}/gu, ' ')
          .trim()
          .slice(0, 90)
      : '';
  return text === '' ? otherwise : text;
}
