import type { ServerResponse } from 'node:http';
import type { Call } from './call.ts';

/** How long the opening of an answer may wait for its first content, so that a failure before it can be made good. */
export const HOLD_MS = 500;
/** With a ping or a comment in it, only this long: clients count on those to tell silence from work. */
const KEEP_ALIVE_MS = 50;
/** An opening larger than this goes to the client as it is. */
export const MAX_HELD_BYTES = 256 * 1024;

/** Names may be in any script; headers are ASCII (RFC 9110 §5.5). */
function headerText(name: string): string {
  return /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(name) ? name : encodeURIComponent(name);
}

/** What the gate adds to every answer; one of its own comes from no account. */
export function gateHeaders(call: Call): string[] {
  if (call.local !== null)
    return [
      'x-tallygate-request-id',
      call.id,
      'x-content-type-options',
      'nosniff',
      'cache-control',
      'no-store',
    ];
  const account = headerText(call.account.name);
  return [
    'x-tallygate-request-id',
    call.id,
    'x-tallygate-account',
    account,
    'x-content-type-options',
    'nosniff',
  ];
}

/** A frame that says nothing but that the stream lives: a ping event, or a comment line (WHATWG HTML, server-sent events). */
function carriesKeepAlive(bytes: Buffer): boolean {
  return bytes[0] === 0x3a || bytes.includes('\n:') || bytes.includes('event: ping');
}

/** How long an opening may wait once these bytes are part of it. */
export function waitMsWith(bytes: Buffer): number {
  return carriesKeepAlive(bytes) ? KEEP_ALIVE_MS : HOLD_MS;
}

const LETTER_H = 0x48;

/**
 * Node adds a head up from some hundred pieces, and keeps them for as long as the answer takes: 3 KB of each stream. V8
 * makes one string of them when a character of it is asked for.
 */
function joinHead(response: ServerResponse): void {
  const { _header: head } = response as { _header?: string | null };
  if (head && head.charCodeAt(0) !== LETTER_H) throw new Error('not a head of HTTP');
}

/** The head of an answer that the client has not seen yet. */
export class HeldHead {
  readonly status: number;
  readonly list: string[];
  #timer: NodeJS.Timeout | null = null;
  #waitMs = 0;

  constructor(status: number, list: string[]) {
    this.status = status;
    this.list = list;
  }

  /** Calls `release` when the opening has waited long enough: this long from now, or sooner if that was said before. */
  boundWait(release: () => void, waitMs: number): void {
    if (this.#timer !== null && this.#waitMs <= waitMs) return;
    this.drop();
    this.#waitMs = waitMs;
    this.#timer = setTimeout(release, waitMs);
  }

  drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param retryAfterSeconds put in place of the upstream's own, when the pool knows better */
  write(response: ServerResponse, retryAfterSeconds: number | null): void {
    this.drop();
    const { list } = this;
    if (retryAfterSeconds !== null) {
      const at = list.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'retry-after');
      if (at !== -1) list[at + 1] = String(retryAfterSeconds);
      else list.push('retry-after', String(retryAfterSeconds));
    }
    response.writeHead(this.status, list);
    joinHead(response);
  }
}

/** Writes what was kept back; with the last of it the answer ends, if the upstream's has. */
export function writeHeld(response: ServerResponse, held: readonly Buffer[], ended: boolean): void {
  const last = ended ? held.length - 1 : held.length;
  for (let i = 0; i < last; i++) response.write(held[i]);
  if (ended) response.end(held[last]);
}
