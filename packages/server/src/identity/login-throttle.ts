import { isIPv6 } from 'node:net';
import { foldUsername } from '@tallygate/contract/username';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';

/**
 * Slows guessing down without ever locking anybody out: the delay grows per account *and* address, so an attacker
 * elsewhere cannot keep the owner from signing in, and it has a ceiling. A second, wider measure per address slows
 * one attacker who tries many names.
 */
export interface LoginThrottle {
  /** Counts an attempt before its password is checked. @throws AppError `login_throttled` with the seconds to wait */
  admit(username: string, address: string | null): void;
  /** Forgets the failures of this account from this address after a success. */
  succeeded(username: string, address: string | null): void;
  /**
   * The same for codes of a second factor. Six digits can be guessed from many addresses, so those of an app also
   * count per account wherever they come from; recovery codes do not, and stay open to the owner while somebody
   * who has the password keeps that brake on.
   */
  admitCode(userId: string, address: string | null, kind: 'app' | 'recovery'): void;
  codeSucceeded(userId: string, address: string | null): void;
}

interface Entry {
  attempts: number;
  nextAllowedMs: number;
  seenMs: number;
}

const FREE_PER_ACCOUNT = 5;
const FREE_PER_ADDRESS = 30;
const FREE_CODES_PER_ACCOUNT = 10;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
const FORGET_AFTER_MS = 15 * 60_000;
/** Least recently used entries leave first; an entry is ~200 bytes. */
const MAX_ENTRIES = 10_000;

/** One customer of an IPv6 provider owns a whole /64 and must not count as 2⁶⁴ addresses. */
export function addressBucket(address: string | null): string {
  if (address === null) return 'unknown';
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  const [sixth = 0, high = 0, low = 0] = groups.slice(5);
  // An IPv4 address in the clothes of IPv6, however it is written (RFC 4291 §2.5.5.2).
  if (sixth === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of an IPv6 address, with or without a zone. */
function groupsOf(address: string): number[] {
  const plain = (address.split('%')[0] ?? '').replace(/[\d.]+\.\d+$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail = ''] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const gap = plain.includes('::') ? 8 - left.length - right.length : 0;
  const groups = [...left, ...new Array<string>(Math.max(gap, 0)).fill('0'), ...right];
  return groups.map((group) => Number.parseInt(group, 16));
}

/** Delay after the attempt with this number: none while attempts are free, then doubling up to a minute. */
function delayMs(attempts: number, free: number): number {
  return attempts < free ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - free, 20));
}

/** A throttle in this process's memory, bounded. */
export function createLoginThrottle(clock: Clock): LoginThrottle {
  const entries = new Map<string, Entry>();
  /** Apart: only who knows a password adds to it, so that a flood of made-up names pushes no brake out. */
  const codes = new Map<string, Entry>();

  function lookup(among: Map<string, Entry>, key: string, nowMs: number): Entry {
    const known = among.get(key);
    among.delete(key);
    const entry =
      known && nowMs - known.seenMs < FORGET_AFTER_MS
        ? known
        : { attempts: 0, nextAllowedMs: 0, seenMs: nowMs };
    among.set(key, entry); // last in insertion order: most recently used
    const oldest = among.size > MAX_ENTRIES ? among.keys().next().value : undefined;
    if (oldest !== undefined) among.delete(oldest);
    return entry;
  }

  // JSON keeps the parts apart whatever characters a name has.
  const accountKey = (username: string, address: string | null): string =>
    JSON.stringify([foldUsername(username).slice(0, 64), addressBucket(address)]);

  function count(measures: readonly { among: Map<string, Entry>; key: string; free: number }[]): void {
    const nowMs = clock.now();
    const measured = measures.map(({ among, key, free }) => ({ entry: lookup(among, key, nowMs), free }));
    const waitMs = Math.max(...measured.map(({ entry }) => entry.nextAllowedMs - nowMs));
    // A refused attempt does not lengthen the wait: hammering cannot turn the delay into a lock-out.
    if (waitMs > 0) throw new AppError('login_throttled', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
    for (const { entry, free } of measured) {
      entry.attempts += 1; // before the check, so that attempts in parallel count as well
      entry.seenMs = nowMs;
      entry.nextAllowedMs = nowMs + delayMs(entry.attempts, free);
    }
  }

  function forgive(address: string | null): void {
    const shared = entries.get(addressBucket(address));
    if (shared) {
      shared.attempts = Math.max(0, shared.attempts - 1);
      shared.nextAllowedMs = 0;
    }
  }

  const perAddress = (address: string | null) => ({
    among: entries,
    key: addressBucket(address),
    free: FREE_PER_ADDRESS,
  });
  return {
    admit(username, address) {
      const perAccount = { among: entries, key: accountKey(username, address), free: FREE_PER_ACCOUNT };
      count([perAccount, perAddress(address)]);
    },
    succeeded(username, address) {
      entries.delete(accountKey(username, address));
      forgive(address);
    },
    admitCode(userId, address, kind) {
      const perAccount = { among: codes, key: userId, free: FREE_CODES_PER_ACCOUNT };
      count(kind === 'app' ? [perAccount, perAddress(address)] : [perAddress(address)]);
    },
    codeSucceeded(userId, address) {
      codes.delete(userId);
      forgive(address);
    },
  };
}
