import { isIPv4 } from 'node:net';
import { AppError } from '../kernel/errors.ts';

/**
 * Under which names the server answers. On loopback only loopback names and the configured one: a page that makes
 * its own name resolve to 127.0.0.1 (DNS rebinding) would otherwise talk to us as if it were ours.
 */
export interface HostPolicy {
  /** True on loopback, and wherever the operator has named the names: no others are answered. */
  namesOnly: boolean;
  /** Host names, without port, that are answered beside loopback ones. */
  allowedHosts: readonly string[];
}

function isLoopbackName(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  // RFC 6761 §6.3: names under localhost. resolve to loopback and nowhere else.
  if (hostname.endsWith('.localhost')) return true;
  return isIPv4(hostname) && hostname.startsWith('127.');
}

function hostnameOf(header: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(header.toLowerCase());
  return match?.[1]?.replace(/\.$/, '') ?? null;
}

/**
 * Checks a `Host` header.
 * @throws AppError `host_not_allowed` when it is missing, malformed or not one of ours
 */
export function assertHostAllowed(header: string | undefined, policy: HostPolicy): void {
  const hostname = hostnameOf(header ?? '');
  if (hostname === null) throw new AppError('host_not_allowed');
  if (!policy.namesOnly || isLoopbackName(hostname)) return;
  if (!policy.allowedHosts.some((allowed) => allowed.toLowerCase() === hostname)) {
    throw new AppError('host_not_allowed');
  }
}
