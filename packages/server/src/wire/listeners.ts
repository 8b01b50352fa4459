import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { listenersOf } from '../checkup/listeners.ts';
import type { ListenAddress } from '../config/network-kinds.ts';
import type { Config } from '../config/settings.ts';
import { limitConnections } from '../http/connection-limits.ts';
import { createCors } from '../http/cors.ts';
import { apiErrorBody } from '../http/error-answer.ts';
import { createFrontDoor } from '../http/front-door.ts';
import type { HostPolicy } from '../http/host-check.ts';
import { createDispatch, createHttpServer, type RequestHandler } from '../http/listener.ts';
import { createRedirectDoor } from '../http/redirect-door.ts';
import { isSecure, markLocal, markPublic } from '../http/request-marks.ts';
import { type BrowserPolicy, securityHeaders, strictTransportSecurity } from '../http/security-headers.ts';
import { createAddressSet } from '../kernel/address-set.ts';
import { AppError } from '../kernel/errors.ts';
import type { Core } from './core.ts';
import type { DataPlane } from './data-plane.ts';
import { isLoopback, listenControl, listenTcp } from './listen.ts';
import { readTlsPair, type TlsFiles, watchTlsPair } from './tls-files.ts';
import type { Undo } from './undo.ts';

/** What requests are handed to, and where opened listeners go. */
export interface Served {
  core: Core;
  plane: DataPlane;
  app: FastifyInstance;
  listeners: Server[];
  undo: Undo;
}

type Refuse = (request: IncomingMessage, response: ServerResponse, error: AppError) => void;

/** Under which names this installation answers. */
export function hostPolicy({ host: publicHost, adminListen, allowedHosts }: Config): HostPolicy {
  const host = adminListen?.host ?? publicHost;
  return {
    namesOnly: isLoopback(host) || allowedHosts.length > 0,
    allowedHosts: [host, ...allowedHosts],
  };
}

/** What browsers are told, by the settings. */
export const browserPolicy = ({ cspReportOnly, cspConnectSrc, hstsSubdomains }: Config): BrowserPolicy => ({
  reportOnly: cspReportOnly,
  connectSrc: cspConnectSrc,
  hstsSubdomains,
});

/** Requests that come through the owner-only socket are the owner's. */
function localHandler(app: FastifyInstance): RequestHandler {
  return (request, response) => {
    markLocal(request);
    app.routing(request, response);
  };
}

/** A "#" ends the path too: a target that has one is refused, in the dialect of the path before it. */
const pathOf = (request: IncomingMessage): string => request.url?.split(/[?#]/, 1)[0] ?? '/';

/** Refuses what must not reach the applications: in the dialect of the API it was meant for, or as our own API does. */
function createRefuse({ core, plane }: Served): Refuse {
  const policy = browserPolicy(core.config);
  const fixed = securityHeaders(policy);
  const https = strictTransportSecurity(policy);
  return (request, response, error) => {
    const path = pathOf(request);
    if (plane.routes.owns(path)) {
      return plane.gateway.refuse(request, response, plane.routes.dialectOf(path, request.headers), error);
    }
    const requestId = core.newId();
    const body = JSON.stringify(apiErrorBody(error, requestId));
    request.resume(); // the rest of it is bounded by the request timeout
    response.writeHead(error.status, {
      ...fixed,
      ...(isSecure(request) ? { 'strict-transport-security': https } : {}),
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-request-id': requestId,
      connection: 'close',
    });
    response.end(body);
  };
}

/** What a node without the dashboard still answers: whether it is well, and what it counts. */
const ALWAYS = new Set(['/healthz', '/readyz', '/metrics']);

/** The paths of a role that this process does not have do not exist on it; the owner-only socket knows them all. */
function byRole({ core, plane }: Served, admin: RequestHandler, refuse: Refuse): RequestHandler {
  const { roles } = core.config;
  const absent: RequestHandler = (request, response) => {
    const detail = 'This node does not serve this path. Another one does.';
    refuse(request, response, new AppError('route_not_found', { detail }));
  };
  if (!roles.includes('gateway'))
    return (request, response) =>
      plane.routes.owns(pathOf(request)) ? absent(request, response) : admin(request, response);
  return createDispatch(plane.gateway, plane.routes, (request, response) =>
    roles.includes('control') || ALWAYS.has(pathOf(request))
      ? admin(request, response)
      : absent(request, response),
  );
}

/** The gate, and behind it the administrative side: all of it, or only what has no address of its own. */
function createPublicHandler(served: Served, refuse: Refuse): RequestHandler {
  const { core, app } = served;
  const apart = core.config.adminListen !== null;
  const admin: RequestHandler = (request, response) => {
    if (apart) markPublic(request);
    app.routing(request, response);
  };
  const next = byRole(served, admin, refuse);
  return doorTo(served, { next, refuse, allowedClients: core.config.allowedClientAddresses });
}

/** The administrative side at its own address: the paths of the gate do not exist there. */
function createAdminHandler(served: Served, refuse: Refuse): RequestHandler {
  const { plane, app } = served;
  const next: RequestHandler = (request, response) => {
    if (plane.routes.owns(pathOf(request))) refuse(request, response, new AppError('route_not_found'));
    else app.routing(request, response);
  };
  // Who may come in is asked for each row: adminAllowedAddresses.
  return doorTo(served, { next, refuse, allowedClients: [] });
}

function doorTo(
  { core: { config }, plane }: Served,
  parts: { next: RequestHandler; refuse: Refuse; allowedClients: readonly string[] },
): RequestHandler {
  return createFrontDoor({
    ...parts,
    trust: { proxies: createAddressSet(config.trustedProxies), headers: config.proxyHeaders },
    allowedClients: createAddressSet(parts.allowedClients),
    cors: createCors(config.corsAllowedOrigins),
    isDataPath: plane.routes.owns,
  });
}

function tlsFiles({ tlsCertFile, tlsKeyFile }: Config): TlsFiles | null {
  return tlsCertFile === null || tlsKeyFile === null ? null : { certFile: tlsCertFile, keyFile: tlsKeyFile };
}

function bounded(served: Served, server: Server): Server {
  const { config, logger, clock } = served.core;
  const { maxConnections, maxConnectionsPerAddress, trustedProxies } = config;
  const proxies = createAddressSet(trustedProxies);
  limitConnections(
    server,
    { maxConnections, maxConnectionsPerAddress, proxies },
    { logger, monotonicMs: clock.monotonicMs },
  );
  return server;
}

async function openRedirects(served: Served, refuse: Refuse, tlsPort: number): Promise<void> {
  const { core, plane, listeners } = served;
  const { host, httpRedirectPort, ...config } = core.config;
  if (httpRedirectPort === null) return;
  const isApi = (path: string): boolean => plane.routes.owns(path) || /^\/(?:api|metrics)(?:\/|$)/.test(path);
  const door = createRedirectDoor({ isApi, refuse, hosts: hostPolicy(core.config), tlsPort });
  const server = bounded(served, createHttpServer(door, { limits: config }));
  const port = await listenTcp(server, host, httpRedirectPort);
  listeners.push(server);
  core.notices.push(`Plain HTTP on port ${port} sends browsers to https and refuses calls.`);
}

/** Addresses to show: of the gate, and of dashboard and administrative API. */
export interface Addresses {
  url: string;
  adminUrl: string;
}

/** Opens one listener, with TLS where there is a certificate, which is read again when it changes. */
async function openOne(
  served: Served,
  handler: RequestHandler,
  { host, port }: ListenAddress,
): Promise<{ port: number; url: string }> {
  const { core, listeners, undo } = served;
  const files = tlsFiles(core.config);
  const tls = files === null ? {} : { tls: readTlsPair(files) };
  const server = bounded(served, createHttpServer(handler, { limits: core.config, ...tls }));
  const actualPort = await listenTcp(server, host, port);
  listeners.push(server);
  if (files !== null) {
    const apply = (pair: Parameters<TlsServer['setSecureContext']>[0]): void =>
      (server as TlsServer).setSecureContext(pair);
    undo.add(await watchTlsPair(files, { apply, logger: core.logger }));
  }
  const scheme = files === null ? 'http' : 'https';
  return { port: actualPort, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${actualPort}` };
}

/**
 * Opens the public listener, the administrative one where it has an address of its own, the plain one beside it where
 * there is TLS, and the owner-only socket.
 * @throws ListenError or StartError
 */
export async function openListeners(served: Served): Promise<Addresses> {
  const { core, app, listeners } = served;
  const { host, port, adminListen } = core.config;
  const refuse = createRefuse(served);
  const open = await openOne(served, createPublicHandler(served, refuse), { host, port });
  if (core.config.tlsCertFile !== null) await openRedirects(served, refuse, open.port);
  const ports = [open.port];
  let adminUrl = open.url;
  if (adminListen !== null) {
    const opened = await openOne(served, createAdminHandler(served, refuse), adminListen);
    ports.push(opened.port);
    adminUrl = opened.url;
    core.notices.push(`Dashboard, administrative API and metrics are at ${adminUrl} alone.`);
  }
  core.listening.push(
    ...listenersOf(core.config).map((listener, index) => ({ ...listener, port: ports[index] ?? 0 })),
  );
  const controlServer = createHttpServer(localHandler(app));
  await listenControl(controlServer, core.paths.controlSocket);
  listeners.push(controlServer);
  return { url: open.url, adminUrl };
}
