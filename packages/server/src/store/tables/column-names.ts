import type { TokenBucket, UnitCount } from '@tallygate/contract/usage';

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Uncapitalize<Head>
    ? `${Head}${Snake<Tail>}`
    : `_${Uncapitalize<Head>}${Snake<Tail>}`
  : S;
/** `cacheWrite5m` is stored as `cache_write5m_tokens`. */
export type TokenColumn = `${Snake<TokenBucket>}_tokens`;
export type UnitColumn = Snake<UnitCount>;

/** `cacheWrite5m` → `cache_write5m_tokens`. */
export function tokenColumn(bucket: TokenBucket): TokenColumn {
  return `${snake(bucket)}_tokens` as TokenColumn;
}
/** `webSearchRequests` → `web_search_requests`. */
export function unitColumn(unit: UnitCount): UnitColumn {
  return snake(unit) as UnitColumn;
}
/** `modelServed` → `model_served`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
