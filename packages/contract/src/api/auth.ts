import { z } from 'zod';

export const setupStatusResponse = z.object({
  needsSetup: z.boolean(),
  version: z.string(),
  db: z.object({ kind: z.string() }),
});
export const setupRequest = z.object({
  code: z.string().min(1).max(200),
  username: z
    .string()
    .trim()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9._@+-]+$/, 'letters, digits and . _ @ + -'),
  password: z.string().min(1).max(1024),
});
export const loginRequest = z.object({
  username: z.string().min(1).max(64),
  password: z.string().min(1).max(1024),
});
export const meResponse = z.object({
  user: z.object({ id: z.string(), username: z.string(), role: z.string() }),
  session: z.object({ createdAt: z.string(), expiresAt: z.string() }),
});
export const csrfResponse = z.object({ csrfToken: z.string() });
export type SetupStatus = z.infer<typeof setupStatusResponse>;
export type Me = z.infer<typeof meResponse>;
