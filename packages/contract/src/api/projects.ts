import { z } from 'zod';
import { nameSchema, slugSchema } from './common.ts';

/** What happens upstream when the client leaves: stop at once, or read on (bounded) to learn the usage. */
export const DISCONNECT_POLICIES = ['abort', 'drain'] as const;
export type DisconnectPolicy = (typeof DISCONNECT_POLICIES)[number];

/** What the traffic of a project is for. Views can be narrowed to one; alerts never mix two (TW-20). */
export const ENVIRONMENTS = ['production', 'staging', 'development', 'test'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
export const environmentSchema = z.enum(ENVIRONMENTS);

export const projectResponse = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  environment: environmentSchema,
  disconnectPolicy: z.enum(DISCONNECT_POLICIES),
  createdAt: z.string(),
});
export const projectListResponse = z.object({ projects: z.array(projectResponse) });
export const projectCreateRequest = z
  .object({
    slug: slugSchema,
    name: nameSchema.optional(),
    /** `production` when left out. */
    environment: environmentSchema.optional(),
    disconnectPolicy: z.enum(DISCONNECT_POLICIES).optional(),
  })
  .strict();
export const projectUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    environment: environmentSchema.optional(),
    disconnectPolicy: z.enum(DISCONNECT_POLICIES).optional(),
  })
  .strict();
export type ProjectView = z.infer<typeof projectResponse>;
