import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A secret that is found by its name wherever it turns up. */
export const canary = (what: string): string => `canary-${what}-${randomBytes(12).toString('hex')}`;

/** A secret in the spellings it could be written down in. */
function spellings(secret: Buffer): Buffer[] {
  const texts = [
    secret.toString('hex'),
    secret.toString('base64').replace(/=+$/, ''),
    secret.toString('base64url'),
  ];
  return [secret, ...texts.map((text) => Buffer.from(text))];
}

/** Every file of the data directory; backups, which are compressed, as what is in them. */
export async function filesUnder(dir: string): Promise<[name: string, bytes: Buffer][]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }): Promise<[string, Buffer]> => {
      const path = join(parentPath, name);
      const bytes = await readFile(path);
      return [path.slice(dir.length + 1), name.endsWith('.backup') ? gunzipSync(bytes) : bytes];
    }),
  );
}

/** Secrets that were planted, and where they turn up. */
export class Secrets {
  readonly #all = new Map<string, Buffer>();
  plant(name: string, secret: string | Buffer): string {
    const bytes = Buffer.from(secret as string);
    if (bytes.length < 16) throw new Error(`${name} is too short to be told from chance`);
    this.#all.set(name, bytes);
    return bytes.toString('utf8');
  }
  /** What was found where. */
  in(places: readonly [name: string, bytes: Buffer][]): string[] {
    return [...this.#all].flatMap(([name, secret]) =>
      places
        .filter(([, bytes]) => spellings(secret).some((spelling) => bytes.includes(spelling)))
        .map(([place]) => `${name} in ${place}`),
    );
  }
}
