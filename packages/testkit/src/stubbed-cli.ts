import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '@tallygate/cli/run-cli';
import { dataPaths } from '@tallygate/server/config/data-paths';
import { afterEach, beforeEach } from 'vitest';
import { recordingTerminal } from './recording-terminal.ts';
import { type StubAdminServer, type StubRoute, startStubAdminServer } from './stub-admin-server.ts';

export interface StubbedCli {
  readonly dataDir: string;
  /** Starts the stand-in on the data directory's control socket. */
  serve(routes: Record<string, StubRoute>): Promise<StubAdminServer>;
  /** Runs one command on the data directory. */
  run(
    args: readonly string[],
    options?: Parameters<typeof recordingTerminal>[0],
  ): Promise<{ code: number } & ReturnType<typeof recordingTerminal>['written']>;
}

/** The command line on a data directory of its own for each test, with a stand-in for the server where one is asked for. */
export function stubbedCli(): StubbedCli {
  let dataDir = '';
  let stub: StubAdminServer | null = null;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
  });
  afterEach(async () => {
    await stub?.close();
    stub = null;
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    get dataDir() {
      return dataDir;
    },
    async serve(routes) {
      const { controlDir, controlSocket } = dataPaths(dataDir, process.getuid?.() ?? null);
      await mkdir(controlDir, { mode: 0o700 });
      stub = await startStubAdminServer(routes, { socketPath: controlSocket });
      return stub;
    },
    async run(args, options = {}) {
      const terminal = recordingTerminal(options);
      const code = await runCli([...args, '--data-dir', dataDir], terminal);
      return { code, ...terminal.written };
    },
  };
}
