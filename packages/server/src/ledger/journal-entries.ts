import type { UsageEvent } from '../accounting/usage-event.ts';

/** What is known before dispatch, and enough to write the row if the process dies. */
export interface OpenedEntry {
  event: UsageEvent;
}

/** The finished request and its sub-calls. `openedId` closes the opened entry of the same request. */
export interface SettledEntry {
  openedId: string;
  events: UsageEvent[];
}

/** JSON has no bigint: cost travels as a decimal string. */
function encodeEvent(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

export function encodeOpened(entry: OpenedEntry): string {
  return JSON.stringify(entry, encodeEvent);
}

export function encodeSettled(entry: SettledEntry): string {
  return JSON.stringify(entry, encodeEvent);
}

type Wire<T> = Omit<T, 'costNanoUsd'> & { costNanoUsd: string | null };

function decodeEvent(event: Wire<UsageEvent>): UsageEvent {
  return { ...event, costNanoUsd: event.costNanoUsd === null ? null : BigInt(event.costNanoUsd) };
}

export function decodeOpened(payload: Buffer): OpenedEntry {
  const entry = JSON.parse(payload.toString('utf8')) as { event: Wire<UsageEvent> };
  return { event: decodeEvent(entry.event) };
}

export function decodeSettled(payload: Buffer): SettledEntry {
  const entry = JSON.parse(payload.toString('utf8')) as { openedId: string; events: Wire<UsageEvent>[] };
  return { openedId: entry.openedId, events: entry.events.map(decodeEvent) };
}
