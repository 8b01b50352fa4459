import type { Environment } from '@tallygate/contract/api/projects';
import type { RequestStatus } from '@tallygate/contract/usage';
import { list, optional } from '../options/option.ts';
import { type Moment, moment, oneOf } from '../options/parsers.ts';
import { ENVIRONMENTS } from './projects/create.ts';

/** A test checks it against the contract. */
export const STATUSES = [
  'ok',
  'client_error',
  'upstream_error',
  'timeout',
  'aborted',
  'rejected',
  'interrupted',
] as const satisfies RequestStatus[];

/** Options that narrow down which requests are meant; several values of one are alternatives. */
export const filterOptions = {
  project: list('PROJECTS', 'Only these projects (id or slug)'),
  environment: list<Environment>(
    'ENVIRONMENTS',
    `Only projects of these: ${ENVIRONMENTS.join(', ')}`,
    oneOf(ENVIRONMENTS),
  ),
  key: list('KEYS', 'Only these API keys (id)'),
  model: list('MODELS', 'Only these models, as served'),
  provider: list('PROVIDERS', 'Only these providers'),
  account: list('ACCOUNTS', 'Only these upstream accounts (id)'),
  status: list('STATUSES', `Only these outcomes: ${STATUSES.join(', ')}`, oneOf(STATUSES)),
  tag: list('TAGS', 'Only requests with one of these tags'),
};

export const sinceOption = optional('WHEN', 'From here on: an ISO time, or how long ago as 24h', moment);
export const untilOption = optional('WHEN', 'Up to here: an ISO time, or how long ago as 1h', moment);

type Filters = { [K in keyof typeof filterOptions]: string[] };
export type MaybeMoment = Moment | undefined;

/** The filters as query parameters; what was not given is absent. */
export function filterQuery(filters: Filters): Record<string, string[]> {
  const names = Object.keys(filterOptions) as (keyof Filters)[];
  return Object.fromEntries(
    names.map((name) => [name, filters[name]]).filter(([, values]) => values?.length),
  );
}
