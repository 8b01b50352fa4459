/** One mistake, in the three parts a person needs. None carries a secret. */
export interface ConfigProblem {
  what: string;
  why: string;
  fix: string;
}

/** Everything that is wrong with the configuration, at once, so that it is mended in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(
      problems.map((problem) => `${problem.what}\n  Why: ${problem.why}\n  Fix: ${problem.fix}`).join('\n'),
    );
    this.problems = problems;
  }
}
