import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/test-order.ts';

/** Packages resolve to each other's sources, in the test process and in every thread or process it starts. */
const SOURCE = '@tallygate/source';

export default defineConfig({
  resolve: { conditions: [SOURCE] },
  // Not 'import': vitest hands these to Node, where they would make `require` load ES modules (pg does not survive it).
  ssr: { resolve: { conditions: [SOURCE, 'node'] } },
  test: {
    pool: 'forks',
    execArgv: [`--conditions=${SOURCE}`, '--disable-warning=ExperimentalWarning'],
    // Bounds for what hangs. A busy machine starts a server ten times slower than an idle one.
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // What is waited for comes in milliseconds; on a busy machine it may take seconds, and that is no failure.
    expect: { poll: { timeout: 15_000, interval: 25 } },
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/src/**/*.test.tsx'],
          // One process for many files: loading the server anew for each took as long as its tests. They leave no trace
          // in the process: what they set there (spies, clocks, authorities) they put back.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          // Projects begin in the order of their names: these first, so that short files fill what is left at the end.
          name: 'end-to-end',
          include: ['tests/**/*.test.ts', 'tools/**/*.test.ts', 'launcher/**/*.test.ts'],
          testTimeout: 120_000,
          globalSetup: './packages/testkit/src/warm-start.ts',
        },
      },
    ],
  },
});
