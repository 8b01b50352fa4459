import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Version of this program, from its package. */
export function programVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version = (manifest as { version?: unknown }).version;
  return typeof version === 'string' ? version : '0.0.0';
}

/** Folder of the built dashboard; null when it was not built. */
export function dashboardFolder(): string | null {
  const folder = fileURLToPath(new URL('../../../dashboard/dist/', import.meta.url));
  return existsSync(`${folder}/index.html`) ? folder : null;
}
