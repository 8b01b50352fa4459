import type { BreakdownView } from '@tallygate/contract/api/usage';
import { formatNanoUsd, parseUsd } from '@tallygate/contract/money';
import type { Split } from '../../app/url/view-search.ts';

/** Something whose spend changed from the span before to this one. */
export interface Mover {
  group: Split;
  key: string;
  label: string;
  /** Signed decimal text of US dollars. */
  changeUsd: string;
  /** Change as a share of what it was; null when it was nothing. */
  share: number | null;
}

type Rows = BreakdownView['rows'];

/** A change smaller than this share of the larger span's whole spend is no news. */
const NEWS_DIVISOR = 100n;

function costs(rows: Rows): Map<string, { label: string; nano: bigint }> {
  return new Map(rows.map((row) => [row.key, { label: row.label, nano: parseUsd(row.costUsd) }]));
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
const larger = (a: bigint, b: bigint): bigint => [a, b].reduce((most, each) => (each > most ? each : most));
const total = (rows: Rows): bigint => rows.reduce((sum, row) => sum + parseUsd(row.costUsd), 0n);

interface Found {
  mover: Mover;
  size: bigint;
}

function moversOf(group: Split, now: Rows, before: Rows): Found[] {
  if (before.length === 0) return [];
  const [present, past] = [costs(now), costs(before)];
  const news = larger(total(now), total(before)) / NEWS_DIVISOR;
  const found: Found[] = [];
  for (const [key, { label }] of new Map([...past, ...present])) {
    const was = past.get(key)?.nano ?? 0n;
    const change = (present.get(key)?.nano ?? 0n) - was;
    const size = absolute(change);
    // Without a key there is nothing that a click could show.
    if (key === '' || change === 0n || size < news) continue;
    const share = was === 0n ? null : Number(change) / Number(was);
    found.push({ mover: { group, key, label, changeUsd: formatNanoUsd(change), share }, size });
  }
  return found;
}

/**
 * What moved the spend most, largest change first: up or down, new or gone.
 * @param now rankings of this span, by group
 * @param before the same for the span before; nothing in it means that there is nothing to compare with
 */
export function findMovers(
  now: Partial<Record<Split, Rows>>,
  before: Partial<Record<Split, Rows>>,
  limit: number,
): Mover[] {
  const groups = Object.keys(now) as Split[];
  const found = groups.flatMap((group) => moversOf(group, now[group] ?? [], before[group] ?? []));
  found.sort((a, b) => Number(b.size - a.size));
  return found.slice(0, limit).map(({ mover }) => mover);
}
