import type { Config } from '../config/settings.ts';
import { createAdminApp } from '../http/admin-app.ts';
import { createSetupCode } from '../identity/setup-code.ts';
import { createLogger } from '../kernel/logger.ts';
import { createLiveFeed } from '../ledger/live-feed.ts';
import { adminDeps } from './admin.ts';
import { createAlerting } from './alerts.ts';
import { layGround, openBase, prepareDataDir } from './base.ts';
import { type Core, openCore, systemRandomBytes } from './core.ts';
import { engineFor } from './engines.ts';
import { keepSaved } from './pool.ts';

export interface LocalAdminRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: unknown;
}

/** The administrative API on the store itself, with the rights of the owner of its files. */
export interface LocalAdmin {
  request(request: LocalAdminRequest): Promise<{ status: number; json: unknown }>;
  close(): Promise<void>;
}

/**
 * Opens the store without a server, for the command line.
 * @throws MasterKeyError, AppError or the engine's error
 */
export async function openLocalAdmin(config: Config): Promise<LocalAdmin> {
  const base = await openBase(layGround(config, createLogger('warn')));
  try {
    const core = await openCore(base);
    await core.budgets.load();
    await core.limits.load();
    const app = await createInProcessApp(core);
    const saveStates = keepSaved(core.pooling.states, core);
    return {
      async request({ method, path, query, headers, body }) {
        const answer = await app.inject({
          method,
          url: path,
          ...(query === undefined ? {} : { query }),
          ...(body === undefined ? {} : { payload: body as object }),
          headers: { host: 'localhost', ...headers },
        });
        return {
          status: answer.statusCode,
          json: answer.body === '' ? null : (JSON.parse(answer.body) as unknown),
        };
      },
      async close() {
        await app.close();
        await saveStates();
        await core.egress.destroy();
        await base.store.close();
      },
    };
  } catch (error) {
    await base.store.close();
    throw error;
  }
}

function createInProcessApp(core: Core) {
  const { config } = core;
  return createAdminApp({
    ...adminDeps(core, {
      setup: createSetupCode(systemRandomBytes),
      alerting: createAlerting(core, false),
      liveFeed: createLiveFeed(),
      startedAtMs: core.clock.now(),
      journalStatus: () => ({ state: 'ok', backlogEntries: 0, fsync: config.journalFsync }),
      metricsText: async () => '',
      endCallsOf: () => undefined, // no server, no calls
      readiness: async () => ({ ok: true, checks: [] }),
      endRunningRequests: () => 0, // no server runs
    }),
    headless: true,
    dashboardDir: null,
    sessionLimits: { idleMs: config.sessionIdleMs, absoluteMs: config.sessionAbsoluteMs },
    sessionSecret: config.sessionSecret,
    ssoProvider: null, // nobody signs in here
    hosts: { namesOnly: true, allowedHosts: [] },
    inProcess: true,
  });
}

/**
 * Restores a backup into the configured store, which must hold no events.
 * @throws AppError `conflict` when it does
 */
export async function restoreStore(
  config: Config,
  path: string,
): Promise<{ events: number; costNanoUsd: bigint }> {
  prepareDataDir(config);
  const url = config.dbUrl.reveal();
  return (await engineFor(url)).restore(url, path);
}
