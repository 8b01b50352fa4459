import type { SecurityKind } from '@tallygate/contract/api/security';
import { addressBucket } from '../identity/login-throttle.ts';
import type { Clock } from '../kernel/clock.ts';
import { HourlyCounts, type KindCounts, NamedCounts } from './security-counters.ts';

export interface SecurityEvent {
  kind: SecurityKind;
  address?: string | null;
  /** First characters of one of our keys; never of a foreign one. */
  keyPrefix?: string | null;
  /** Name the caller used for this server. */
  host?: string | null;
}
export interface CspReport {
  atMs: number;
  directive: string;
  blocked: string;
  page: string;
}
export interface NamedView {
  name: string;
  lastMs: number;
  lastHour: KindCounts;
  lastDay: KindCounts;
}
export interface SecurityView {
  sinceMs: number;
  nowMs: number;
  hours: { startMs: number; counts: KindCounts }[];
  addresses: NamedView[];
  keyPrefixes: NamedView[];
  hosts: NamedView[];
  cspReports: CspReport[];
}

/** Counts what may be an attack, in memory and bounded (NX-10). Never throws, never waits. */
export interface SecurityMonitor {
  note(event: SecurityEvent): void;
  cspReport(report: Omit<CspReport, 'atMs'>, address: string | null): void;
  view(): SecurityView;
}

const MAX_REPORTS = 50;
const MAX_LISTED = 50;

/** Counters begin when it is made: a restart forgets them. What must last is in the audit log. */
export function createSecurityMonitor(clock: Clock): SecurityMonitor {
  const sinceMs = clock.now();
  const hours = new HourlyCounts();
  const addresses = new NamedCounts();
  const keyPrefixes = new NamedCounts();
  const hosts = new NamedCounts();
  const reports: CspReport[] = [];

  function note({ kind, address, keyPrefix, host }: SecurityEvent): void {
    const atMs = clock.now();
    hours.add(kind, atMs);
    if (address !== undefined) addresses.add(addressBucket(address), kind, atMs);
    if (typeof keyPrefix === 'string') keyPrefixes.add(keyPrefix, kind, atMs);
    if (typeof host === 'string') hosts.add(host.toLowerCase(), kind, atMs);
  }

  return {
    note,
    cspReport(report, address) {
      note({ kind: 'csp_report', address });
      reports.unshift({ ...report, atMs: clock.now() });
      reports.length = Math.min(reports.length, MAX_REPORTS);
    },
    view() {
      const nowMs = clock.now();
      return {
        sinceMs,
        nowMs,
        hours: hours.series(nowMs),
        addresses: addresses.list(nowMs).slice(0, MAX_LISTED),
        keyPrefixes: keyPrefixes.list(nowMs).slice(0, MAX_LISTED),
        hosts: hosts.list(nowMs).slice(0, MAX_LISTED),
        cspReports: [...reports],
      };
    },
  };
}
