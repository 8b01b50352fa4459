import { addressBucket } from '../identity/login-throttle.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { AuditDraft, AuditStore } from '../store/ports/audit.ts';
import type { SecurityMonitor } from './security-monitor.ts';

/** Notices when a key is used from an address it never came from before (CF-13). */
export interface KeyAddressWatch {
  /** Called for every use of a key: two look-ups when the address is known. */
  seen(keyId: string, address: string | null): void;
}

const MAX_KEYS = 10_000;
const MAX_ADDRESSES = 1_000;
/** A flood of new addresses must not become a flood of writes; what is left out is noticed at its next use. */
const MAX_WAITING = 50;

interface Parts {
  audit: Pick<AuditStore, 'append' | 'noteKeyAddress'>;
  monitor: SecurityMonitor;
  clock: Clock;
  logger: Logger;
}

function entryOf(keyId: string, address: string, atMs: number): AuditDraft {
  return {
    atMs,
    actorKind: 'key',
    actorId: keyId,
    actorName: null,
    action: 'key.new_address',
    auditClass: 'access',
    outcome: 'ok',
    status: null,
    errorCode: null,
    requestId: null,
    address,
    userAgent: null,
    resource: 'api_key',
    resourceId: keyId,
    workspaceId: null,
    changes: [],
  };
}

export function createKeyAddressWatch({ audit, monitor, clock, logger }: Parts): KeyAddressWatch {
  const known = new Map<string, Set<string>>();
  let waiting = 0;

  async function note(keyId: string, address: string): Promise<void> {
    const novelty = await audit.noteKeyAddress(keyId, addressBucket(address), clock.now());
    if (novelty === 'known') return;
    // Where a key is used first is recorded, but nothing to look at.
    if (novelty === 'another') monitor.note({ kind: 'new_key_address', address });
    await audit.append(entryOf(keyId, address, clock.now()));
  }

  return {
    seen(keyId, address) {
      if (address === null) return;
      let addresses = known.get(keyId);
      if (addresses?.has(address)) return;
      if (waiting >= MAX_WAITING) return;
      if (addresses === undefined || addresses.size >= MAX_ADDRESSES) {
        if (known.size >= MAX_KEYS) known.clear();
        addresses = new Set();
        known.set(keyId, addresses);
      }
      const mine = addresses.add(address);
      waiting += 1;
      note(keyId, address)
        .catch((error: unknown) => {
          mine.delete(address); // tried again at its next use
          logger.warn('the address of a key could not be recorded', { keyId, error });
        })
        .finally(() => {
          waiting -= 1;
        });
    },
  };
}
