import type { LimitView } from '@tallygate/contract/api/limits';
import { formatCount } from '../../output/numbers.ts';

const UNITS: Readonly<Record<LimitView['measure'], string>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  concurrent_requests: 'requests at once',
  concurrent_streams: 'streams at once',
};

/** What a limit allows, in words: `60 requests a minute for each key`. */
export function formatLimit({ limit, measure, window, burst, per }: LimitView): string {
  const every = window === null ? '' : ` ${window === 'hour' ? 'an' : 'a'} ${window}`;
  const atOnce = burst === null ? '' : `, ${formatCount(burst)} at once`;
  return `${formatCount(limit)} ${UNITS[measure]}${every}${atOnce}${per === 'all' ? '' : ` for each ${per}`}`;
}

/** The fullest count: `57 of 60`. */
function formatFullest({ limit, status }: LimitView): string {
  const [fullest] = status.fullest;
  if (fullest === undefined) return '-';
  const whose = fullest.label === '' ? '' : ` (${fullest.label})`;
  return `${formatCount(fullest.used)} of ${formatCount(limit)}${whose}`;
}

export const LIMIT_COLUMNS = [
  { header: 'ID', value: (limit: LimitView) => limit.id },
  { header: 'NAME', value: (limit: LimitView) => limit.name },
  { header: 'SCOPE', value: (limit: LimitView) => limit.scopeLabel },
  { header: 'ALLOWS', value: formatLimit },
  { header: 'FULLEST NOW', value: formatFullest },
];
