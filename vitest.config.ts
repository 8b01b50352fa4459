import { defineConfig } from 'vitest/config';

/** Packages resolve to each other's sources, in the test process and in every thread or process it starts. */
const SOURCE = '@tallygate/source';

export default defineConfig({
  resolve: { conditions: [SOURCE] },
  // Not 'import': vitest hands these to Node, where they would make `require` load ES modules (pg does not survive it).
  ssr: { resolve: { conditions: [SOURCE, 'node'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/src/**/*.test.tsx',
      'tests/**/*.test.ts',
      'tools/**/*.test.ts',
      'launcher/**/*.test.ts',
    ],
    pool: 'forks',
    execArgv: [`--conditions=${SOURCE}`, '--disable-warning=ExperimentalWarning'],
    testTimeout: 20_000,
    hookTimeout: 180_000,
    // What is waited for comes in milliseconds; on a busy machine it may take seconds, and that is no failure.
    expect: { poll: { timeout: 15_000, interval: 25 } },
    maxWorkers: 3,
    reporters: ['default'],
  },
});
