import type { AttemptView, RequestView } from '@tallygate/contract/api/usage';

export interface TimingBar {
  label: string;
  kind: 'wait' | 'answer' | 'gate';
  startMs: number;
  endMs: number;
  /** What it shows, in words. */
  text: string;
}
export interface Timing {
  totalMs: number;
  ttftMs: number | null;
  bars: TimingBar[];
}

/** Where the time went: waiting for each upstream, then its answer. Null when the request has no end. */
export function requestTiming(request: RequestView, attempts: AttemptView[]): Timing | null {
  const start = Date.parse(request.startedAt);
  const end = request.endedAt === null ? null : Date.parse(request.endedAt);
  const totalMs = request.latencyMs ?? (end === null ? null : end - start);
  if (totalMs === null || totalMs <= 0) return null;
  const bars = attempts.flatMap((attempt) =>
    attemptBars(attempt, start, { totalMs, many: attempts.length > 1 }),
  );
  return { totalMs, ttftMs: request.ttftMs, bars };
}

function attemptBars(
  attempt: AttemptView,
  start: number,
  scale: { totalMs: number; many: boolean },
): TimingBar[] {
  const at = (iso: string | null): number | null =>
    iso === null ? null : Math.min(Math.max(Date.parse(iso) - start, 0), scale.totalMs);
  const from = at(attempt.startedAt) ?? 0;
  const first = at(attempt.firstByteAt);
  const to = at(attempt.endedAt) ?? scale.totalMs;
  const name = scale.many ? `Attempt ${attempt.index + 1}: ` : '';
  const wait: TimingBar = {
    label: `${name}wait`,
    kind: 'wait',
    startMs: from,
    endMs: Math.max(first ?? to, from),
    text: 'until the first byte of the upstream',
  };
  if (first === null) return [{ ...wait, text: 'the upstream sent nothing' }];
  return [
    wait,
    {
      label: `${name}answer`,
      kind: 'answer',
      startMs: first,
      endMs: Math.max(to, first),
      text: 'first to last byte',
    },
  ];
}
