import type { LimitView } from '@tallygate/contract/api/limits';
import { formatCount } from '../../ui/format/count.ts';

export const MEASURE_TEXT: Readonly<Record<LimitView['measure'], string>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  concurrent_requests: 'requests at once',
  concurrent_streams: 'streams at once',
};

/** `60 requests a minute, 10 at once, for each key`. */
export function limitText({ limit, measure, window, burst, per }: LimitView): string {
  const every = window === null ? '' : ` ${window === 'hour' ? 'an' : 'a'} ${window}`;
  const atOnce = burst === null ? '' : `, ${formatCount(burst)} at once`;
  const whose = per === 'all' ? '' : `, for each ${per}`;
  return `${formatCount(limit)} ${MEASURE_TEXT[measure]}${every}${atOnce}${whose}`;
}

export const runsAtOnce = (measure: string): boolean => measure.startsWith('concurrent_');
