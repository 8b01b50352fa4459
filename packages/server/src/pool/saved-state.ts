import type { AccountState, Bench, SavedAccountState } from './account-state.ts';
import type { WindowUse } from './rate-limit-headers.ts';
import type { WindowSamples } from './window-forecast.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const instant = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function benchOf(value: unknown): Bench | null {
  if (!isObject(value)) return null;
  const untilMs = instant(value.untilMs);
  if (untilMs === null) return null;
  return {
    model: text(value.model),
    family: value.family === true,
    untilMs,
    reason: text(value.reason) ?? 'limited',
  };
}

function windowOf(value: unknown): WindowUse | null {
  if (!isObject(value)) return null;
  const name = text(value.name);
  const observedAtMs = instant(value.observedAtMs);
  if (name === null || observedAtMs === null) return null;
  return {
    name,
    utilization: instant(value.utilization),
    limit: instant(value.limit),
    remaining: instant(value.remaining),
    resetAtMs: instant(value.resetAtMs),
    status: text(value.status),
    observedAtMs,
  };
}

function sampleOf(value: unknown): WindowSamples['samples'][number] | null {
  if (!isObject(value)) return null;
  const atMs = instant(value.atMs);
  const utilization = instant(value.utilization);
  return atMs === null || utilization === null ? null : { atMs, utilization };
}

function samplesOf(value: unknown): WindowSamples | null {
  if (!isObject(value)) return null;
  const name = text(value.name);
  const resetAtMs = instant(value.resetAtMs);
  if (name === null || resetAtMs === null) return null;
  return { name, resetAtMs, samples: listOf(value.samples, sampleOf) };
}

function listOf<T>(value: unknown, read: (item: unknown) => T | null): T[] {
  return Array.isArray(value) ? value.map(read).filter((item): item is T => item !== null) : [];
}

/** The text that the store keeps of a state. */
export function stateText(state: AccountState): string {
  return JSON.stringify(state.saved());
}

/** Reads such a text; null when it is none. What a later program wrote and this one does not know is passed over. */
export function readStateText(saved: string): SavedAccountState | null {
  let value: unknown;
  try {
    value = JSON.parse(saved);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  return {
    benches: listOf(value.benches, benchOf),
    windows: listOf(value.windows, windowOf),
    softUntilMs: instant(value.softUntilMs) ?? 0,
    refusedAtMs: instant(value.refusedAtMs),
    samples: listOf(value.samples, samplesOf),
    models: Array.isArray(value.models) ? listOf(value.models, text) : null,
    modelsAtMs: instant(value.modelsAtMs) ?? 0,
  };
}
