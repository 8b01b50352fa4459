import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

/** One file of the built dashboard. */
export interface DashboardFile {
  contentType: string;
  body: Buffer;
  /** The same file compressed at build time, by content coding. */
  encoded: ReadonlyMap<string, Buffer>;
  etag: string;
  /** The name carries a hash of the content, so it may be kept for ever. */
  immutable: boolean;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const ENCODINGS: readonly [suffix: string, coding: string][] = [
  ['.br', 'br'],
  ['.gz', 'gzip'],
];
/** The dashboard is a few megabytes; more means that the folder is not a dashboard. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
/** The bundler's output folder, where every name ends in a hash. */
const HASHED = /^\/assets\/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

async function readAll(dir: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let total = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const body = await readFile(path);
    total += body.length;
    if (total > MAX_TOTAL_BYTES) throw new Error(`the dashboard folder ${dir} holds more than 64 MiB`);
    files.set(`/${path.slice(dir.length).split(sep).filter(Boolean).join('/')}`, body);
  }
  return files;
}

/**
 * Reads the built dashboard into memory, once. Requests are then looked up among these exact paths, so there is no
 * path that could lead anywhere else. Files of unknown type and source maps are left out.
 * @returns an empty map when the folder does not exist
 */
export async function loadDashboard(dir: string): Promise<ReadonlyMap<string, DashboardFile>> {
  const contents = await readAll(dir).catch((error: unknown) => {
    if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT')
      return new Map<string, Buffer>();
    throw error;
  });
  const files = new Map<string, DashboardFile>();
  for (const [path, body] of contents) {
    const contentType = CONTENT_TYPES[extname(path)];
    if (contentType === undefined) continue;
    const encoded = new Map<string, Buffer>();
    for (const [suffix, coding] of ENCODINGS) {
      const smaller = contents.get(`${path}${suffix}`);
      if (smaller !== undefined) encoded.set(coding, smaller);
    }
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    files.set(path, { contentType, body, encoded, etag, immutable: HASHED.test(path) });
  }
  return files;
}
