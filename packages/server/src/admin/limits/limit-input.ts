import type { limitCreateRequest } from '@tallygate/contract/api/limits';
import type { z } from 'zod';
import { burstIsExact } from '../../limits/burst-bucket.ts';
import type { LimitRow } from '../../store/ports/limits.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { readScope, storedScopeText } from '../scope-input.ts';
import { WINDOW_MS } from './limit-book.ts';

const wrong = (path: string, message: string): Error => invalidInput([{ in: 'body', path, message }]);

/** @throws AppError `invalid_request` for a burst that says nothing, or cannot be counted exactly */
export function checkBurst({ limit, window, burst }: Pick<LimitRow, 'limit' | 'window' | 'burst'>): void {
  if (burst === null) return;
  if (window === null) throw wrong('burst', 'what runs at once has no burst: the limit is all there is');
  if (burst > limit) throw wrong('burst', 'must be at most the limit');
  if (!burstIsExact(burst, limit, WINDOW_MS[window]))
    throw wrong('burst', 'cannot be counted exactly with this limit; take a rounder number for the limit');
}

/** A limit row from a request; nothing is stored. @throws AppError `invalid_request` */
export async function readLimit(
  body: z.output<typeof limitCreateRequest>,
  deps: AdminDeps,
  workspaceId: string,
): Promise<LimitRow> {
  const { measure, limit, per = 'all' } = body;
  const window = body.window ?? null;
  const atOnce = measure === 'concurrent_requests' || measure === 'concurrent_streams';
  if (atOnce && window !== null) throw wrong('window', 'what runs at once has no window: leave it out');
  if (!atOnce && window === null) throw wrong('window', 'must be minute, hour or day');
  const burst = body.burst ?? null;
  checkBurst({ limit, window, burst });
  const scopeText = storedScopeText(body.scope, deps);
  const scope = await readScope(scopeText, deps, workspaceId);
  return {
    id: deps.newId(),
    workspaceId,
    name: body.name ?? `${measure} ${scopeText}`.slice(0, 100),
    scope: [...scope],
    per,
    measure,
    limit,
    window,
    burst,
    createdAtMs: deps.clock.now(),
  };
}
