import { AppError } from '../../kernel/errors.ts';
import type { AdminDeps } from '../admin-deps.ts';

/**
 * The provider of what speaks this wire format: the first one that does.
 * @throws AppError `invalid_request` when nobody does
 */
export function providerOf({ providers }: Pick<AdminDeps, 'providers'>, apiFlavor: string): string {
  const found = providers.find(({ routes }) => routes.some((route) => route.flavor === apiFlavor));
  if (found !== undefined) return found.id;
  throw new AppError('invalid_request', { detail: `No provider speaks the wire format "${apiFlavor}".` });
}
