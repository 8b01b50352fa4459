import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../kernel/errors.ts';

/**
 * Refuses writes that a browser says come from another site (Fetch Metadata, `Origin`), before any token is looked
 * at. Clients that are no browsers send neither header and are judged by their credential alone.
 * @throws AppError `csrf_failed`
 */
export function assertSameOrigin(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new AppError('csrf_failed');
  const { origin } = headers;
  if (origin === undefined) return;
  // Behind a proxy that ends TLS the scheme differs on our side; host and port are what tells sites apart.
  if (!URL.canParse(origin) || new URL(origin).host !== headers.host?.toLowerCase())
    throw new AppError('csrf_failed');
}
