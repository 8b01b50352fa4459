import type { Secret } from '../kernel/secret.ts';
import { keyPrefix, NODE_ROLES, type NodeRole, redisUrl, roleList } from './node-kinds.ts';
import { setting, switchKind, wholeNumber } from './setting.ts';

/** Settings of several processes that share one database. */
export const NODE_SETTINGS = {
  roles: setting<readonly NodeRole[]>({
    kind: roleList(),
    default: NODE_ROLES,
    defaultDoc: '`gateway,control`',
    group: 'Nodes',
    aliases: ['ROLES'],
    doc: 'What this process does: gateway serves the data routes, control the dashboard and the administrative API.',
  }),
  redisUrl: setting<Secret | null>({
    kind: redisUrl(),
    default: null,
    defaultDoc: 'not set: this process counts for itself',
    group: 'Nodes',
    aliases: ['REDIS_URL'],
    doc: 'Redis in which several nodes share what budgets have spent and hold: redis:// or rediss:// (TLS).',
  }),
  redisDeadlineMs: setting<number>({
    kind: wholeNumber(5, 10_000),
    default: 50,
    group: 'Nodes',
    doc: 'How long a request waits for Redis to decide, before each budget does what its policy for outages says.',
  }),
  limitsPerNode: setting<boolean>({
    kind: switchKind(),
    default: false,
    group: 'Nodes',
    doc: 'Lets several nodes run without a Redis that all use: each counts budgets and limits for itself, so that together they let through more than was set.',
  }),
  redisNamespace: setting<string>({
    kind: keyPrefix(),
    default: 'tallygate',
    group: 'Nodes',
    doc: 'Put before the keys in Redis, where several installations share one.',
  }),
};
