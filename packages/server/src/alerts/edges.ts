import type { AlertRuleRow, AlertStateRow } from '../store/ports/alerts.ts';
import type { Reading } from './reading.ts';

/** A change of state that is due, and whether people are told of it. */
export interface Edge {
  before: AlertStateRow | null;
  reading: Reading;
  told: boolean;
  /** It is not over: nobody watches it any more. */
  closes?: boolean;
}

export interface Judgement {
  edges: Edge[];
  /** Subjects that still fire. */
  still: AlertStateRow[];
}

interface Timing {
  nowMs: number;
  /**
   * How long nobody may have seen a subject fire before it counts as over: other processes see accounts and refusals
   * that this one does not.
   */
  graceMs: number;
}

/** The reading of a subject that its rule says nothing about any more. */
function goneReading(state: AlertStateRow): Reading {
  return {
    subject: state.subject,
    environment: null,
    firing: false,
    sinceMs: null,
    title: 'It is over',
    text: 'What this was about is no longer seen.',
    facts: [],
  };
}

function edgeOf(
  rule: AlertRuleRow,
  state: AlertStateRow | null,
  reading: Reading,
  timing: Timing,
): Edge | null {
  const { nowMs, graceMs } = timing;
  if (!reading.firing) {
    const over = state?.firing === true && nowMs - state.lastSeenAtMs >= graceMs;
    return over ? { before: state, reading, told: rule.notifyRecovery } : null;
  }
  if (state?.firing === true) return null;
  // A cooldown puts the edge off; if it still fires then, it is made then. Whether notices arrived plays no part.
  const quietUntilMs = (state?.lastFiredAtMs ?? Number.NEGATIVE_INFINITY) + rule.cooldownMs;
  return nowMs < quietUntilMs ? null : { before: state, reading, told: true };
}

/** Of several edges of one group in one direction, only that of the highest rank is told. */
function tellHighest(edges: readonly Edge[]): Edge[] {
  const top = new Map<string, number>();
  const key = ({ reading }: Edge): string => `${reading.firing} ${reading.group}`;
  for (const edge of edges) {
    if (edge.reading.group === undefined) continue;
    top.set(key(edge), Math.max(top.get(key(edge)) ?? Number.NEGATIVE_INFINITY, edge.reading.rank ?? 0));
  }
  return edges.map((edge) =>
    edge.reading.group === undefined || edge.reading.rank === top.get(key(edge))
      ? edge
      : { ...edge, told: false },
  );
}

/** What has to change, by what was read before the figures and by the figures. Pure. */
export function judge(
  rule: AlertRuleRow,
  states: readonly AlertStateRow[],
  readings: readonly Reading[],
  timing: Timing,
): Judgement {
  const byId = new Map(states.map((state) => [state.subject, state]));
  const seen = new Set(readings.map(({ subject }) => subject));
  const gone = states.filter((state) => state.firing && !seen.has(state.subject)).map(goneReading);
  const edges = [...readings, ...gone].flatMap((reading) => {
    const edge = edgeOf(rule, byId.get(reading.subject) ?? null, reading, timing);
    return edge === null ? [] : [edge];
  });
  const still = readings.flatMap((reading) => {
    const state = byId.get(reading.subject);
    return reading.firing && state?.firing === true ? [state] : [];
  });
  return { edges: tellHighest(edges), still };
}
