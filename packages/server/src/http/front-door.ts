import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressSet } from '../kernel/address-set.ts';
import { AppError } from '../kernel/errors.ts';
import { type ProxyTrust, readClient } from './client-view.ts';
import type { Cors } from './cors.ts';
import type { RequestHandler } from './listener.ts';
import { clientOf, markClient } from './request-marks.ts';
import { shapeProblem } from './request-shape.ts';

export interface FrontDoorDeps {
  /** Serves what may come in. */
  next: RequestHandler;
  /** Answers an error in the form the path calls for. */
  refuse(request: IncomingMessage, response: ServerResponse, error: AppError): void;
  trust: ProxyTrust;
  /** Clients that may come in; empty lets all in. */
  allowedClients: AddressSet;
  /** For the paths that other origins may call. */
  cors: Cors;
  isDataPath(path: string): boolean;
}

const pathOf = (request: IncomingMessage): string => request.url?.split('?', 1)[0] ?? '/';

/** Looks at every request of a public listener first: is it well-formed, who sent it, may they come in at all. */
export function createFrontDoor(deps: FrontDoorDeps): RequestHandler {
  const { next, refuse, trust, allowedClients, cors, isDataPath } = deps;
  return (request, response) => {
    const problem = shapeProblem(request);
    if (problem !== null) {
      response.setHeader('connection', 'close'); // who sends this once is not worth a connection kept open
      return refuse(request, response, problem);
    }
    if (!trust.proxies.empty) markClient(request, readClient(request, trust));
    if (!allowedClients.empty && !allowedClients.has(clientOf(request).address ?? '')) {
      return refuse(request, response, new AppError('client_not_allowed'));
    }
    if (request.headers.origin !== undefined && isDataPath(pathOf(request)) && cors.admit(request, response))
      return;
    next(request, response);
  };
}
