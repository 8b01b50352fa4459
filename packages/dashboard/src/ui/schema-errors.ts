import { describeIssue } from '@tallygate/contract/api/describe-issue';
import type { z } from 'zod';

/** The contract's complaints about a form, by field: the same schema, so the same words as the server's. */
export function schemaErrors(schema: Pick<z.ZodType, 'safeParse'>, value: unknown): Record<string, string> {
  const result = schema.safeParse(value);
  if (result.success) return {};
  const errors: Record<string, string> = {};
  for (const issue of result.error.issues) {
    const field = String(issue.path[0] ?? '');
    errors[field] ??= capitalised(describeIssue(issue));
  }
  return errors;
}

/** Under a field's own label the words stand alone. */
const capitalised = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
