import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nameSchema } from './common.ts';
import { describeIssue } from './describe-issue.ts';

const schema = z.object({
  name: nameSchema,
  count: z.number().int().min(2).max(9),
  list: z.array(z.string()).min(1),
  mode: z.enum(['hard', 'soft', 'clamp']),
  flag: z.boolean(),
});
const GOOD = { name: 'a', count: 3, list: ['x'], mode: 'soft', flag: true };

function complaint(change: Record<string, unknown>): string | undefined {
  const result = schema.safeParse({ ...GOOD, ...change });
  return result.error?.issues.map(describeIssue)[0];
}

describe('describeIssue', () => {
  it.each([
    [{ name: '' }, 'must not be empty'],
    [{ name: 'x'.repeat(101) }, 'must have at most 100 characters'],
    [{ name: 'a\u0000' }, 'must not contain control characters'],
    [{ name: undefined }, 'is missing'],
    [{ name: 7 }, 'must be text'],
    [{ count: 1 }, 'must be at least 2'],
    [{ count: 10 }, 'must be at most 9'],
    [{ count: 2.5 }, 'must be a whole number'],
    [{ list: [] }, 'must have at least 1 entry'],
    [{ list: 'x' }, 'must be a list'],
    [{ mode: 'other' }, 'must be one of hard, soft or clamp'],
    [{ flag: 'yes' }, 'must be true or false'],
  ])('says of %j: %s', (change, words) => {
    expect(complaint(change)).toBe(words);
  });

  it('never quotes what was sent', () => {
    for (const name of Object.keys(GOOD)) {
      expect(complaint({ [name]: 'S3CRET-value' }) ?? '').not.toContain('S3CRET');
    }
  });
});
