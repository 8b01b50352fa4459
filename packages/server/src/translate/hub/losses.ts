import type { JsonObject } from './json.ts';

/**
 * What of a request the other format has no place for. A hint changes nothing about what the answer says (a cache
 * marker, a tier) and is left out, named in a header. Substance is refused, or left out where the operator says so.
 */
export class Losses {
  readonly hints = new Set<string>();
  readonly substance = new Set<string>();

  hint(name: string): void {
    note(this.hints, name);
  }

  lose(name: string): void {
    note(this.substance, name);
  }

  /** Notes the members that no part of the translator reads. Null, false and empty ones say nothing. */
  unread(
    holder: JsonObject,
    read: ReadonlySet<string>,
    options: { hints?: ReadonlySet<string>; at?: string } = {},
  ): void {
    for (const [name, value] of Object.entries(holder)) {
      if (read.has(name) || isEmpty(value)) continue;
      const path = options.at === undefined ? name : `${options.at}.${name}`;
      if (options.hints?.has(name)) this.hint(path);
      else this.lose(path);
    }
  }
}

/** Names come from clients, too, and go into a header: they stay few and short. */
const MAX_NAMES = 40;
const MAX_NAME_CHARS = 80;

function note(names: Set<string>, name: string): void {
  if (names.size < MAX_NAMES) names.add(name.slice(0, MAX_NAME_CHARS));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Names what an answer lost inside a stream whose head is gone: clients of event streams pass over comments. */
export function lossComment(name: string): string {
  return `: x-tallygate-dropped: ${name.replaceAll(/[^\x20-\x7e]/g, '?')}\n\n`;
}
