import type { KeyRestrictions } from '@tallygate/contract/api/keys';
import { type CallerLimits, compileCallerLimits } from '../kernel/caller-limits.ts';
import { AppError } from '../kernel/errors.ts';
import { compileGlob, type Glob } from '../kernel/glob.ts';
import type { PoolAccount } from '../pool/pool.ts';

/** What narrows a key, compiled when the snapshot is built; a key without limits has null instead. */
export interface KeyLimits {
  caller: CallerLimits | null;
  models: readonly Glob[] | null;
  providers: ProviderLimit | null;
}

export interface ProviderLimit {
  names: ReadonlySet<string>;
  /** Equal for equal sets: choices are remembered under it. */
  fingerprint: string;
}

function compileProviders(names: readonly string[]): ProviderLimit | null {
  if (names.length === 0) return null;
  return { names: new Set(names), fingerprint: [...names].sort().join(',') };
}

/** Null when nothing is limited: the hot path then pays one comparison. */
export function compileKeyLimits(given: KeyRestrictions | null): KeyLimits | null {
  if (given === null) return null;
  const limits: KeyLimits = {
    caller: compileCallerLimits(given),
    models: given.models.length === 0 ? null : given.models.map(compileGlob),
    providers: compileProviders(given.providers),
  };
  return limits.caller === null && limits.models === null && limits.providers === null ? null : limits;
}

/** A name is a provider's id or the preset of one of its accounts. */
export function providerAllowed(limit: ProviderLimit, account: PoolAccount): boolean {
  return limit.names.has(account.adapter.id) || (account.preset !== null && limit.names.has(account.preset));
}

/** True when the key may use the model. */
export function modelAllowed({ models }: KeyLimits, model: string | null): boolean {
  return models === null || (model !== null && models.some((pattern) => pattern.test(model)));
}

/**
 * Refuses a model the key is not for. A metered call that names none is refused as well: what would serve it is
 * not known.
 * @throws AppError `key_restricted`
 */
export function assertModelAllowed(
  limits: KeyLimits,
  call: { model: string | null; metered: boolean },
): void {
  const { model } = call;
  if (model === null ? limits.models === null || !call.metered : modelAllowed(limits, model)) return;
  throw new AppError('key_restricted', {
    detail: 'This key may not use this model. Whoever issued it can add the model to its limits.',
  });
}
