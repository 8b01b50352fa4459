import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { Config } from '../config/settings.ts';
import { createAdminApp } from '../http/admin-app.ts';
import { createDispatch, createHttpServer, type RequestHandler } from '../http/listener.ts';
import { markLocal } from '../http/request-marks.ts';
import { seedOwner } from '../identity/owner.ts';
import { createPasswordHasher } from '../identity/password-hash.ts';
import { createSetupCode, type SetupCode } from '../identity/setup-code.ts';
import { createLogger } from '../kernel/logger.ts';
import { adminDeps } from './admin.ts';
import { type Core, openCore, prepareDataDir, systemRandomBytes } from './core.ts';
import { type DataPlane, openDataPlane } from './data-plane.ts';
import { registerEventLoopGauge } from './event-loop-gauge.ts';
import { closeServer, isLoopback, listenControl, listenTcp } from './listen.ts';
import { dashboardFolder } from './program.ts';
import { readiness } from './readiness.ts';
import { waitForServerLock } from './server-lock.ts';

/** Why the server does not start; the message says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface RunningServer {
  url: string;
  /** Where the owner sets up; null once an owner exists. */
  setupUrl: string | null;
  /** What the operator should read. */
  notices: readonly string[];
  /** Requests of an earlier process that were settled as interrupted at this start. */
  interruptedAtStart: number;
  /** Stops accepting, lets requests finish within the grace period, settles, flushes. */
  stop(): Promise<void>;
}

async function seedFirstOwner(core: Core): Promise<void> {
  const { dashboardUsername, dashboardPassword } = core.config;
  if (dashboardUsername === null || dashboardPassword === null) return;
  const parts = {
    store: core.store.identity,
    clock: core.clock,
    newId: core.newId,
    hasher: createPasswordHasher(),
  };
  const outcome = await seedOwner(parts, { username: dashboardUsername, password: dashboardPassword });
  core.notices.push(
    outcome === 'created'
      ? `The owner "${dashboardUsername}" was made from DASHBOARD_USERNAME and DASHBOARD_PASSWORD.`
      : 'DASHBOARD_USERNAME and DASHBOARD_PASSWORD are ignored: an owner exists already.',
  );
}

/** A command that looks whether a server runs takes the lock for a moment. */
const LOCK_PROBE_MS = 500;
const COMMANDS_WAIT_MS = 60_000;

/** What a command writes to the store behind the back of a server would not take effect in it: it ends first. */
async function waitForCommands(commandLock: string): Promise<void> {
  const release = await waitForServerLock(commandLock, COMMANDS_WAIT_MS);
  if (release === null) {
    throw new StartError(
      'A tallygate command is still changing this data directory. Start again when it has ended.',
    );
  }
  release();
}

/** Fails closed: without an owner nobody outside this machine may reach the set-up. */
function assertOwnerBeforeExposure(config: Config, ownerExists: boolean): void {
  if (ownerExists || isLoopback(config.host)) return;
  throw new StartError(
    `Refusing to listen on ${config.host}: nobody owns this installation yet, and whoever reaches it first could. ` +
      'Start it once without HOST and open the set-up link, or set DASHBOARD_USERNAME and DASHBOARD_PASSWORD.',
  );
}

async function createAdmin(
  core: Core,
  plane: DataPlane,
  parts: { setup: SetupCode; registry: Registry; schemaVersion: number },
): Promise<FastifyInstance> {
  const { config } = core;
  const { journal, ledger } = plane;
  return createAdminApp({
    ...adminDeps(core, {
      setup: parts.setup,
      liveFeed: plane.liveFeed,
      startedAtMs: core.clock.now(),
      journalStatus: () => ({
        state: journal.status().state,
        backlogEntries: plane.backlogRows(),
        fsync: config.journalFsync,
      }),
      metricsText: () => parts.registry.metrics(),
      readiness: () =>
        readiness({
          store: core.store,
          schemaVersion: parts.schemaVersion,
          dataDir: core.paths.dir,
          reserveBytes: config.journalReserveBytes,
          journalStatus: () => journal.status(),
          backlog: () => ledger.backlog(),
        }),
    }),
    headless: config.headless,
    dashboardDir: dashboardFolder(),
    sessionLimits: { idleMs: config.sessionIdleMs, absoluteMs: config.sessionAbsoluteMs },
    hosts: { boundToLoopback: isLoopback(config.host), allowedHosts: [config.host] },
  });
}

/** Requests that come through the owner-only socket are the owner's. */
function localHandler(app: FastifyInstance): RequestHandler {
  return (request, response) => {
    markLocal(request);
    app.routing(request, response);
  };
}

interface Parts {
  core: Core;
  plane: DataPlane;
  app: FastifyInstance;
  listeners: Server[];
  release(): void;
}

async function stopAll({ core, plane, app, listeners, release }: Parts): Promise<void> {
  const { shutdownGraceMs } = core.config;
  const closed = listeners.map((listener) => closeServer(listener, shutdownGraceMs + 5_000));
  await app.close(); // ends live streams, which would otherwise hold their connections
  const { interrupted } = await plane.gateway.stop(shutdownGraceMs);
  if (interrupted > 0)
    core.logger.warn('requests were cut at the end of the grace period', { count: interrupted });
  for (const listener of listeners) listener.closeIdleConnections();
  await Promise.all(closed);
  await plane.journal.close();
  await plane.ledger.close();
  await core.close();
  release();
}

/**
 * Starts everything in order: lock, store, journal, recovery, listeners. Nothing is served before what an earlier
 * process left is in the ledger.
 * @throws StartError, ListenError, MasterKeyError or AppError; nothing stays open then
 */
export async function startServer(config: Config): Promise<RunningServer> {
  const paths = prepareDataDir(config);
  const release = await waitForServerLock(paths.lock, LOCK_PROBE_MS);
  if (release === null) {
    throw new StartError(
      `Another Tallygate server uses ${config.dataDir}. Stop it, or choose another folder with --data-dir.`,
    );
  }
  const undo: (() => Promise<void> | void)[] = [release];
  try {
    await waitForCommands(paths.commandLock);
    const core = await openCore(config, createLogger(config.logLevel));
    undo.unshift(() => core.close());
    await seedFirstOwner(core);
    const ownerExists = (await core.store.identity.countUsers()) > 0;
    assertOwnerBeforeExposure(config, ownerExists);
    const registry = new Registry();
    const stopGauge = registerEventLoopGauge(registry);
    undo.unshift(stopGauge);
    const plane = await openDataPlane(core, registry);
    undo.unshift(async () => {
      await plane.journal.close();
      await plane.ledger.close();
    });
    const setup = createSetupCode(systemRandomBytes);
    const code = ownerExists ? null : setup.issue();
    const app = await createAdmin(core, plane, {
      setup,
      registry,
      schemaVersion: await core.store.schemaVersion(),
    });
    const publicServer = createHttpServer(
      createDispatch(plane.gateway, plane.routes, (request, response) => app.routing(request, response)),
    );
    const controlServer = createHttpServer(localHandler(app));
    const port = await listenTcp(publicServer, config.host, config.port);
    undo.unshift(() => closeServer(publicServer, 0));
    await listenControl(controlServer, core.paths.controlSocket);
    const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
    return {
      url,
      setupUrl: code === null || config.headless ? null : `${url}/setup#code=${code.reveal()}`,
      notices: core.notices,
      interruptedAtStart: plane.ledger.recovered.interrupted,
      async stop() {
        await stopAll({ core, plane, app, listeners: [publicServer, controlServer], release });
        stopGauge();
      },
    };
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}
