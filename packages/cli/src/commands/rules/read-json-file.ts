import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from '../../cli-error.ts';

const MAX_BYTES = 32 * 1024 * 1024;

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw new CliError('invalid_file', `${path} is larger than ${MAX_BYTES} bytes.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** A JSON file that the operator named. @throws CliError `invalid_file` */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readBounded(resolve(path));
  } catch (error) {
    if (error instanceof CliError) throw error;
    const code = (error as { code?: unknown }).code;
    throw new CliError(
      'invalid_file',
      `${path} cannot be read${typeof code === 'string' ? ` (${code})` : ''}.`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError('invalid_file', `${path} does not hold JSON.`);
  }
}
