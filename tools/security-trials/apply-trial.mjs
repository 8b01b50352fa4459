import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The file of a trial without its protection.
 * @param {string} root @param {import('./trials.mjs').Trial} trial
 * @returns {{ path: string, before: string, after: string }}
 * @throws Error when the protection does not stand where the trial says, exactly once
 */
export function withoutProtection(root, { protects, file, edits }) {
  const path = join(root, file);
  const before = readFileSync(path, 'utf8');
  let after = before;
  for (const [from, to] of edits) {
    const parts = after.split(from);
    if (parts.length !== 2)
      throw new Error(`"${protects}": ${file} has ${parts.length - 1} times what the trial takes away`);
    after = parts.join(to);
  }
  return { path, before, after };
}
