import { z } from 'zod';
import { Secret } from '../kernel/secret.ts';
import { type Kind, maskUrl } from './setting.ts';

export const NODE_ROLES = ['gateway', 'control'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** What a process does: one of the roles, or both. */
export function roleList(): Kind<readonly NodeRole[]> {
  const list = z.array(z.enum(NODE_ROLES)).min(1);
  const written = z
    .string()
    .max(100)
    .transform((text) => text.split(',').map((entry) => entry.trim()));
  return {
    expected: `one or both of ${NODE_ROLES.join(' and ')}, with a comma between them`,
    placeholder: 'roles',
    schema: () =>
      z
        .union([written, z.array(z.string())])
        .pipe(list)
        .transform((roles) => [...new Set(roles)]),
    show: (roles) => roles.join(', '),
  };
}

/** As a whole a secret: it may carry a password. */
export function redisUrl(): Kind<Secret | null> {
  return {
    expected: 'a Redis URL, such as redis://:password@host:6379/0, or rediss:// for TLS',
    placeholder: 'url',
    secret: true,
    schema: () =>
      z
        .string()
        .max(2048)
        .regex(/^rediss?:\/\/[^\s/]+(?:\/\d{1,5})?(?:\?\S*)?$/i)
        .transform((url) => new Secret(url)),
    show: (value) => (value === null ? '(not set)' : maskUrl(value.reveal())),
  };
}

/** A short word that may stand in a key. */
export function keyPrefix(): Kind<string> {
  return {
    expected: 'letters, digits, dots, dashes and underscores, 64 at most',
    placeholder: 'name',
    schema: () => z.string().regex(/^[\w.-]{1,64}$/),
    show: String,
  };
}
