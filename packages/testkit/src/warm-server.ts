import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAM_MAIN } from '../../../launcher/program-files.mjs';
import { COMPILED, startGateProcess } from './gate-process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MARK = join(COMPILED, 'warm');

/**
 * Starts the server once and lets it end by itself, when it was built anew: Node keeps compiled code only then, and most
 * tests end theirs without warning. Every later start takes half as long.
 */
async function warm(): Promise<void> {
  const builtAt = String(statSync(join(ROOT, PROGRAM_MAIN)).mtimeMs);
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === builtAt) return;
  const dataDir = mkdtempSync(join(tmpdir(), 'tallygate-warm-'));
  try {
    const started = await startGateProcess({ dataDir });
    started.child.kill('SIGTERM');
    await started.exited;
    writeFileSync(MARK, builtAt);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

await warm();
