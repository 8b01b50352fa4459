import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { NODE_ROLES } from '../config/node-kinds.ts';
import type { Config } from '../config/settings.ts';
import { createAdminApp } from '../http/admin-app.ts';
import { seedOwner } from '../identity/owner.ts';
import { createPasswordHasher } from '../identity/password-hash.ts';
import { settleSessionSecret } from '../identity/session-secret.ts';
import { createSetupCode, type SetupCode } from '../identity/setup-code.ts';
import { createAddressSet } from '../kernel/address-set.ts';
import { adminDeps } from './admin.ts';
import { type AlertParts, createAlerting } from './alerts.ts';
import { recordStart } from './audit-events.ts';
import { registerBacklogGauge } from './backlog-gauge.ts';
import { type Core, systemRandomBytes } from './core.ts';
import { openCredentialFiles } from './credential-files.ts';
import { createDataPlane, type DataPlane } from './data-plane.ts';
import { registerEventLoopGauge } from './event-loop-gauge.ts';
import { followOthers } from './follow-others.ts';
import { startJobs } from './jobs.ts';
import { joinNodes } from './join-nodes.ts';
import type { Journaling } from './journaling.ts';
import { closeServer, isLoopback } from './listen.ts';
import { browserPolicy, hostPolicy, openListeners } from './listeners.ts';
import { keepRenewed } from './oauth.ts';
import { keepSaved } from './pool.ts';
import { dashboardFolder } from './program.ts';
import { readiness } from './readiness.ts';
import { createSsoProvider } from './sso-provider.ts';
import { StartError } from './start-error.ts';
import { tellRenamedUsers } from './tell-renamed.ts';
import type { Undo } from './undo.ts';

export interface RunningServer {
  /** Of the gate. */
  url: string;
  /** Of dashboard, administrative API and metrics. */
  adminUrl: string;
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
    firstWorkspaceId: core.workspaceId,
  };
  const outcome = await seedOwner(parts, { username: dashboardUsername, password: dashboardPassword });
  core.notices.push(
    outcome === 'created'
      ? `The owner "${dashboardUsername}" was made from DASHBOARD_USERNAME and DASHBOARD_PASSWORD.`
      : 'DASHBOARD_USERNAME and DASHBOARD_PASSWORD are ignored: an owner exists already.',
  );
}

/** Fails closed: without an owner nobody outside this machine may reach the set-up. */
function assertOwnerBeforeExposure(config: Config, ownerExists: boolean): void {
  const host = config.adminListen?.host ?? config.host; // where set-up is served
  if (ownerExists || isLoopback(host)) return;
  throw new StartError(
    `Refusing to listen on ${host}: nobody owns this installation yet, and whoever reaches it first could. ` +
      'Start it once without HOST and open the set-up link, or set DASHBOARD_USERNAME and DASHBOARD_PASSWORD.',
  );
}

async function createAdmin(
  core: Core,
  { journal, ledger, liveFeed, backlogRows }: Journaling,
  parts: {
    setup: SetupCode;
    registry: Registry;
    schemaVersion: number;
    plane: DataPlane;
    alerting: AlertParts;
    unready(): string | null;
    changed(): void;
  },
): Promise<FastifyInstance> {
  const { config } = core;
  return createAdminApp({
    ...adminDeps(core, {
      setup: parts.setup,
      alerting: parts.alerting,
      liveFeed,
      startedAtMs: core.clock.now(),
      journalStatus: () => ({
        state: journal.status().state,
        backlogEntries: backlogRows(),
        fsync: config.journalFsync,
      }),
      endCallsOf: (keyId) => parts.plane.gateway.endKey(keyId),
      metricsText: () => parts.registry.metrics(),
      endRunningRequests: () => parts.plane.gateway.refuseRunning(),
      readiness: () =>
        readiness({
          store: core.store,
          schemaVersion: parts.schemaVersion,
          dataDir: core.paths.dir,
          reserveBytes: config.journalReserveBytes,
          journalStatus: () => journal.status(),
          backlog: () => ledger.backlog(),
          nodesReason: parts.unready,
        }),
    }),
    changed: parts.changed,
    headless: config.headless,
    dashboardDir: dashboardFolder(),
    sessionLimits: { idleMs: config.sessionIdleMs, absoluteMs: config.sessionAbsoluteMs },
    hosts: hostPolicy(config),
    adminClients: createAddressSet(config.adminAllowedAddresses),
    browserPolicy: browserPolicy(config),
    sessionSecret: config.sessionSecret,
    ssoProvider: createSsoProvider(core),
  });
}

interface Running {
  core: Core;
  plane: DataPlane;
  app: FastifyInstance;
  listeners: Server[];
  undo: Undo;
}

async function stopAll({ core, plane, app, listeners, undo }: Running): Promise<void> {
  const { shutdownGraceMs } = core.config;
  const closed = listeners.map((listener) => closeServer(listener, shutdownGraceMs + 5_000));
  await app.close(); // ends live streams, which would otherwise hold their connections
  const { interrupted } = await plane.gateway.stop(shutdownGraceMs);
  if (interrupted > 0)
    core.logger.warn('requests were cut at the end of the grace period', { count: interrupted });
  for (const listener of listeners) listener.closeIdleConnections();
  await Promise.all(closed);
  await undo.run();
}

/** Nodes share a database; one that is a file of this process cannot be shared. */
function assertSharable({ config, store }: Core): void {
  if (store.capabilities.multiProcess) return;
  const because =
    'this database belongs to one process. Set DB_URL to a PostgreSQL that all nodes use, or leave it out.';
  if (config.redisUrl !== null) throw new StartError(`REDIS_URL is for several nodes, but ${because}`);
  if (config.roles.length < NODE_ROLES.length)
    throw new StartError(`ROLES splits the work between several nodes, but ${because}`);
}

/**
 * Puts the parts together and listens. Nothing is served before: what an earlier process left is in the ledger, and
 * an address beyond this machine is refused while nobody owns the installation.
 * @throws StartError, ListenError or AppError; what was opened here is taken back by `undo`
 */
export async function assemble(core: Core, journaling: Journaling, undo: Undo): Promise<RunningServer> {
  const { config } = core;
  assertSharable(core);
  await seedFirstOwner(core);
  if (await settleSessionSecret(core.store, core.config.sessionSecret)) {
    core.notices.push('DASHBOARD_SESSION_SECRET has changed: everybody has to sign in again.');
  }
  const ownerExists = (await core.store.identity.countUsers()) > 0;
  assertOwnerBeforeExposure(config, ownerExists);
  const watch = await joinNodes(core, journaling, undo);
  const registry = new Registry();
  undo.add(registerEventLoopGauge(registry));
  registerBacklogGauge(registry, journaling.backlogRows);
  const redis =
    config.redisUrl && (await import('./redis-parts.ts')).openRedisParts(core, journaling, registry);
  if (redis !== null) {
    core.budgets.share(redis.budgets.limits);
    undo.add(() => redis.budgets.stop());
    core.limits.share(redis.limits.rates);
    undo.add(() => redis.limits.rates.stop());
    core.liveWarnings.push(redis.budgets.warnings, redis.limits.warnings);
  }
  await core.budgets.load(); // recovery is done: the ledger holds all that was spent
  await redis?.budgets.start();
  await core.limits.load();
  await redis?.limits.rates.start();
  undo.add(keepSaved(core.pooling.states, core));
  undo.add(await openCredentialFiles(core));
  undo.add(keepRenewed(core.oauth, core.clock));
  const countsHold = () => watch?.limitsHold ?? true;
  const plane = createDataPlane(core, journaling, { registry, joint: redis?.joint ?? null, countsHold });
  undo.add(() => core.budgets.watch(null));
  const followed = followOthers(core, { plane, redis }, journaling);
  undo.add(() => followed?.stop());
  const setup = createSetupCode(systemRandomBytes);
  const code = ownerExists ? null : setup.issue();
  await recordStart(core);
  await tellRenamedUsers(core);
  const schemaVersion = await core.store.schemaVersion();
  const alerting = createAlerting(core, true);
  const app = await createAdmin(core, journaling, {
    ...{ setup, registry, schemaVersion, plane, alerting },
    unready: () => watch?.unreadyReason() ?? null,
    changed: () => followed?.announce('config'),
  });
  const { liveFeed, journal } = journaling;
  undo.add(startJobs({ core, alerting, node: journal.id, liveFeed, registry }));
  const running: Running = { core, plane, app, listeners: [], undo };
  undo.add(async () => {
    await Promise.all(running.listeners.map((listener) => closeServer(listener, 0)));
  });
  const { url, adminUrl } = await openListeners(running);
  return {
    url,
    adminUrl,
    setupUrl:
      code === null || config.headless || !config.roles.includes('control')
        ? null
        : `${adminUrl}/setup#code=${code.reveal()}`,
    notices: core.notices,
    interruptedAtStart: journaling.ledger.recovered.interrupted,
    stop: () => stopAll(running),
  };
}
