// In which order test files run. Without results of an earlier run, as in a fresh clone, Vitest goes by the size of files.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, longest first: what begins last decides when the whole ends, so they begin at once. */
const LONGEST = [
  'tests/chaos/server-kill.test.ts',
  'tests/browser/quality.test.ts',
  'launcher/whole.test.ts',
  'tests/cli/command-line.test.ts',
  'tests/browser/people.test.ts',
  'launcher/launch.test.ts',
  'tests/chaos/cluster.test.ts',
  'tests/browser/manage.test.ts',
  'tests/wire/oauth.test.ts',
  'tests/browser/requests.test.ts',
  'tests/cli/import.test.ts',
  'tests/browser/protection.test.ts',
  'tests/wire/body-limit.test.ts',
  'tests/wire/canary-secrets.test.ts',
  'tests/wire/budgets.test.ts',
  // A few lines each, which run the whole conformance suite.
  'packages/server/src/store/postgres/engine.test.ts',
  'packages/server/src/store/sqlite/engine.test.ts',
];

function place({ moduleId, project }: TestSpecification): number {
  const index = LONGEST.indexOf(relative(project.config.root, moduleId));
  return index === -1 ? LONGEST.length : index;
}

/** The longest, then Vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => place(a) - place(b));
  }
}
