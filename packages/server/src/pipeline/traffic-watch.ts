import type { IncomingMessage } from 'node:http';
import type { AppError } from '../kernel/errors.ts';

/** Told of what matters to security. Both are called for every such request, so they must be quick and never throw. */
export interface TrafficWatch {
  /** A key was accepted. */
  keyUsed(keyId: string, request: IncomingMessage): void;
  /** The gate refused a request, or its upstream's address; `request` is null where it is not known any more. */
  refused(error: AppError, request: IncomingMessage | null): void;
}
