import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * A schema's complaint in words that fit after the name of a field: "must not be empty". Never quotes the value.
 * A message that the schema gives itself stands.
 */
export function describeIssue(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return `must ${bound(issue.origin, 'at most', Number(issue.maximum))}`;
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `must be ${ARTICLES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${listOf(issue.values.map(String))}`;
    default:
      return issue.message;
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function tooSmall(issue: Extract<Issue, { code: 'too_small' }>): string {
  const minimum = Number(issue.minimum);
  if (issue.origin === 'string' && minimum === 1) return 'must not be empty';
  return `must ${bound(issue.origin, 'at least', minimum)}`;
}

function bound(origin: string, word: string, limit: number): string {
  if (origin === 'string') return `have ${word} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set')
    return `have ${word} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `be ${word} ${limit}`;
}

function listOf(values: readonly string[]): string {
  if (values.length < 2) return values.join('');
  return `one of ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
