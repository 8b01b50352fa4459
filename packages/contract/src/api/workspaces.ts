import { z } from 'zod';
import { usernameSchema } from './auth.ts';
import { nameSchema, slugSchema } from './common.ts';
import { addressRangeSchema } from './key-restrictions.ts';

export const workspaceResponse = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  /** The one that the installation began with: its owners own the installation. */
  first: z.boolean(),
  /** Addresses and ranges its people and keys may come from; empty for any. */
  allowedAddresses: z.array(z.string()),
  createdAt: z.string(),
});
export const workspaceListResponse = z.object({ workspaces: z.array(workspaceResponse) });
export const workspaceCreateRequest = z.object({ slug: slugSchema, name: nameSchema.optional() });
export const workspaceUpdateRequest = z.object({
  name: nameSchema.optional(),
  allowedAddresses: z.array(addressRangeSchema).max(100).optional(),
});
export const memberAddRequest = z.object({ username: usernameSchema, role: z.string().max(40) });
export const memberResponse = z.object({ userId: z.string(), username: z.string(), role: z.string() });

/** A workspace that the signed-in person may look at. */
export const ownWorkspaceResponse = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  role: z.string(),
  /** The one they look at now. */
  current: z.boolean(),
});
export const ownWorkspacesResponse = z.object({ workspaces: z.array(ownWorkspaceResponse) });
/** By slug or id. */
export const workspaceChoice = z.object({ workspace: z.string().min(1).max(64) });

export type WorkspaceView = z.infer<typeof workspaceResponse>;
export type OwnWorkspace = z.infer<typeof ownWorkspaceResponse>;
