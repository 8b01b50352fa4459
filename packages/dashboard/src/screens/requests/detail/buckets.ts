import type { TokenBucket, TokenCounts } from '@tallygate/contract/usage';

export const BUCKET_LABELS: Record<TokenBucket, string> = {
  inputUncached: 'Input',
  cacheRead: 'Cache read',
  cacheWrite5m: 'Cache write, 5 min',
  cacheWrite1h: 'Cache write, 1 h',
  cacheWriteOther: 'Cache write',
  inputAudio: 'Input, audio',
  cacheReadAudio: 'Cache read, audio',
  inputImage: 'Input, image',
  inputTool: 'Input, tools',
  outputVisible: 'Output',
  outputReasoning: 'Reasoning',
  outputAudio: 'Output, audio',
  outputImage: 'Output, image',
};

const BUCKET_COLORS: Record<TokenBucket, string> = {
  inputUncached: '--tg-c2',
  cacheRead: '--tg-c5',
  cacheWrite5m: '--tg-c4',
  cacheWrite1h: '--tg-c4',
  cacheWriteOther: '--tg-c4',
  inputAudio: '--tg-c7',
  cacheReadAudio: '--tg-c7',
  inputImage: '--tg-c7',
  inputTool: '--tg-c7',
  outputVisible: '--tg-c1',
  outputReasoning: '--tg-c3',
  outputAudio: '--tg-c6',
  outputImage: '--tg-c6',
};

/** In the order in which they are billed; complete by the type of the labels. */
const BUCKETS = Object.keys(BUCKET_LABELS) as TokenBucket[];

export interface BucketPart {
  bucket: TokenBucket;
  label: string;
  color: string;
  tokens: number;
  share: number;
}

/** The buckets that hold tokens, in the order in which they are billed. They are disjoint, so the shares add up to 1. */
export function bucketParts(tokens: TokenCounts): BucketPart[] {
  const held = BUCKETS.filter((bucket) => (tokens[bucket] ?? 0) > 0);
  const sum = held.reduce((total, bucket) => total + (tokens[bucket] ?? 0), 0);
  return held.map((bucket) => ({
    bucket,
    label: BUCKET_LABELS[bucket],
    color: BUCKET_COLORS[bucket],
    tokens: tokens[bucket] ?? 0,
    share: (tokens[bucket] ?? 0) / sum,
  }));
}

/** The name of a charged unit: a token bucket, or a tool billed per use. */
export function unitLabel(unit: string): string {
  const bucket = BUCKETS.find((item) => item === unit);
  if (bucket) return BUCKET_LABELS[bucket];
  const words = unit.replace(/([A-Z])/g, ' $1').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Tokens are priced by the million, everything else by the piece. */
export function isTokenUnit(unit: string): boolean {
  return BUCKETS.some((item) => item === unit);
}
