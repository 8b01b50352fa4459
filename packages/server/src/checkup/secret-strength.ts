import { assertStrongPassword } from '../identity/password-rules.ts';
import { AppError } from '../kernel/errors.ts';

/** Why a secret would be guessed, in words that do not contain it; null when it would not. */
export function weaknessOf(secret: string, username = ''): string | null {
  try {
    assertStrongPassword(secret, username);
    return null;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
