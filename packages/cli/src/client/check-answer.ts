import type { z } from 'zod';
import { CliError } from '../cli-error.ts';
import type { Target } from './transport.ts';

/**
 * An answer of the server, as its schema types it.
 * @throws CliError `bad_answer` saying where it differs
 */
export function checkAnswer<T>(schema: z.ZodType<T>, json: unknown, target: Target): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') || 'the whole answer';
  throw new CliError(
    'bad_answer',
    `${target.description} sent an answer this program does not understand (at ${at}).`,
    {
      why: 'The server and this program are probably of different versions.',
      fix: 'Compare "tallygate version" with the version the server shows under System.',
    },
  );
}
