import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';

/**
 * Refuses to take the only second factor away from somebody whose role needs one.
 * @throws AppError `conflict`
 */
export async function assertNotLastFactor(
  { access, secondFactor }: Pick<AdminContext, 'access' | 'secondFactor'>,
  user: { id: string },
  removed: 'app' | 'passkey',
): Promise<void> {
  const { enrolled, passkeys } = await secondFactor.status(user.id);
  const left = removed === 'app' ? passkeys : passkeys - 1 + (enrolled ? 1 : 0);
  const role = left > 0 ? null : await access.roleWithSecondFactor(user.id);
  if (role === null) return;
  throw new AppError('conflict', {
    detail: `The role ${role} needs a second factor, so the last one cannot be removed. Add another first, or ask somebody who manages users to reset it.`,
  });
}
