import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILED, startGateProcess } from './gate-process.ts';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));
const MARK = join(COMPILED, 'warm');

function newestSourceMs(): number {
  const ages = ['cli', 'server', 'contract']
    .map((name) => join(PACKAGES, name, 'src'))
    .flatMap((dir) => readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name)))
    .map((path) => statSync(path).mtimeMs);
  return Math.max(...ages);
}

/**
 * Starts the server once and lets it end by itself, when its sources are newer than what is compiled: Node keeps compiled
 * code only then, and most tests end theirs without warning. Every later start takes half as long.
 */
async function warm(): Promise<void> {
  const compiled = String(newestSourceMs());
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === compiled) return;
  const dataDir = mkdtempSync(join(tmpdir(), 'tallygate-warm-'));
  try {
    const started = await startGateProcess({ dataDir });
    started.child.kill('SIGTERM');
    await started.exited;
    writeFileSync(MARK, compiled);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

await warm();
