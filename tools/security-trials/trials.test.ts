import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { withoutProtection } from './apply-trial.mjs';
import { TRIALS } from './trials.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/security/proof.md'), 'utf8');

it.each(TRIALS)('can be taken away, and is in the proof: $protects', (trial) => {
  const { before, after } = withoutProtection(ROOT, trial);
  expect(after).not.toBe(before);
  for (const test of trial.tests) expect(existsSync(join(ROOT, test)), test).toBe(true);
  const row = page.split('\n').find((line) => line.startsWith(`| ${trial.protects} |`));
  expect(row).toBeDefined();
  expect(row).not.toContain('**none**');
});
