import { describeIssue } from '@tallygate/contract/api/describe-issue';
import { z } from 'zod';
import { AppError } from '../kernel/errors.ts';

export type InputPlace = 'path' | 'query' | 'body';

/** One thing that is wrong with the input; `path` names the field. */
export interface InputProblem {
  in: InputPlace;
  path: string;
  message: string;
}

const MAX_PROBLEMS = 20;
const MAX_NAME_CHARS = 100;

/** Objects refuse fields they do not name. */
export function strictly(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject ? schema.strict() : schema;
}

function problemsOf(issue: z.core.$ZodIssue, place: InputPlace): InputProblem[] {
  const base = issue.path.map(String);
  const name = (path: string[]): string => path.join('.').slice(0, MAX_NAME_CHARS);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      in: place,
      path: name([...base, key]),
      message: 'is not a known field',
    }));
  }
  return [{ in: place, path: name(base), message: describeIssue(issue) }];
}

function describe(problem: InputProblem): string {
  const field = problem.path === '' ? `The ${problem.in}` : `The ${problem.in} field "${problem.path}"`;
  return `${field} is not right: ${problem.message}.`;
}

/**
 * Parses input by its schema. Problems name the field and the rule and never quote the value.
 * @throws AppError `invalid_request` with all problems (at most 20) in `details`
 */
export function parseInput<T extends z.ZodType>(schema: T, value: unknown, place: InputPlace): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, place)).slice(0, MAX_PROBLEMS);
  throw invalidInput(problems);
}

/** The error for problems found by hand, in the same form. */
export function invalidInput(problems: readonly InputProblem[]): AppError {
  const [first] = problems;
  return new AppError('invalid_request', {
    ...(first === undefined ? {} : { detail: describe(first) }),
    details: problems,
  });
}
