import type { LookupAddress, LookupOptions } from 'node:dns';
import { AppError } from '../kernel/errors.ts';

/** `dns.lookup` with `all: true`. */
export type Resolver = (
  hostname: string,
  options: { all: true; family?: number; hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Signature that `net.connect` and `tls.connect` take as `lookup`. */
export type LookupFunction = (hostname: string, options: LookupOptions, callback: LookupCallback) => void;

/**
 * A lookup that checks every address a name resolves to. The socket connects to the address that was checked
 * (no second resolution, so a rebinding name gains nothing); one address that is not permitted refuses the name.
 */
export function createGuardedLookup(
  resolve: Resolver,
  permits: (address: string) => boolean,
): LookupFunction {
  return (hostname, options, callback) => {
    const family =
      options.family === 4 || options.family === 'IPv4'
        ? 4
        : options.family === 6 || options.family === 'IPv6'
          ? 6
          : 0;
    resolve(hostname, { all: true, family }, (error, addresses) => {
      if (error) return callback(error, '');
      const first = addresses[0];
      if (!first) return callback(new AppError('upstream_connect_failed'), '');
      if (!addresses.every((candidate) => permits(candidate.address))) {
        return callback(new AppError('egress_blocked'), '');
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}
