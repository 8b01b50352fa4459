import { alertCondition } from '@tallygate/contract/api/alerts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertRuleRow, AlertStateRow } from '../store/ports/alerts.ts';
import { type Judgement, judge } from './edges.ts';
import type { Reading } from './reading.ts';

const NOW = 1_000_000;
const COOLDOWN = 60_000;
const GRACE = 5_000;

const rule: AlertRuleRow = {
  ...{ id: 'r', workspaceId: 'w', name: 'Spend', environment: null, severity: 'warning', filter: {} },
  condition: alertCondition.parse({ kind: 'security', minSeverity: 'critical' }),
  ...{ channelIds: [], cooldownMs: COOLDOWN, notifyRecovery: true, enabled: true, createdAtMs: 0 },
};
const state = (subject: string, change: Partial<AlertStateRow> = {}): AlertStateRow => ({
  ...{ ruleId: 'r', subject, version: 1, firing: true, sinceMs: 0, lastFiredAtMs: 0, lastSeenAtMs: 0 },
  ...change,
});
const reading = (subject: string, firing: boolean, change: Partial<Reading> = {}): Reading => ({
  ...{ subject, environment: null, firing, sinceMs: null, title: subject, text: '', facts: [] },
  ...change,
});
const timing = (nowMs = NOW) => ({ nowMs, graceMs: GRACE });
const edgesOf = ({ edges }: Judgement): [subject: string, firing: boolean, told: boolean][] =>
  edges.map(({ reading: { subject, firing }, told }) => [subject, firing, told]);

describe('edges of alerts', () => {
  it('are where a subject begins to fire and where it ends, and nowhere between', () => {
    const states = [state('on'), state('over'), state('quiet', { firing: false })];
    const readings = ['on', 'new'].map((subject) => reading(subject, true));
    const judged = judge(
      rule,
      states,
      [...readings, reading('over', false), reading('quiet', false)],
      timing(),
    );
    expect(edgesOf(judged)).toEqual([
      ['new', true, true],
      ['over', false, true],
    ]);
    expect(judged.still.map(({ subject }) => subject)).toEqual(['on']);
    expect(judged.edges.map(({ before }) => before?.subject ?? null)).toEqual([null, 'over']);
  });

  it('a subject is over when nobody saw it fire for long enough, to the millisecond', () => {
    const overAt = (lastSeenAtMs: number) =>
      edgesOf(judge(rule, [state('s', { lastSeenAtMs })], [reading('s', false)], timing())).length;
    expect([overAt(NOW - GRACE + 1), overAt(NOW - GRACE)]).toEqual([0, 1]);
  });

  it('what its rule says nothing about any more is over as well, after the same time', () => {
    const gone = (lastSeenAtMs: number) =>
      judge(rule, [state('s', { lastSeenAtMs }), state('quiet', { firing: false })], [], timing());
    expect(gone(NOW).edges).toEqual([]);
    expect(edgesOf(gone(0))).toEqual([['s', false, true]]);
    expect(gone(0).edges[0]?.reading.title).toBe('It is over');
  });

  it('a cooldown puts the next notice off to the millisecond, from the last one that went out', () => {
    const again = (lastFiredAtMs: number | null) =>
      edgesOf(judge(rule, [state('s', { firing: false, lastFiredAtMs })], [reading('s', true)], timing()))
        .length;
    expect([again(NOW - COOLDOWN + 1), again(NOW - COOLDOWN), again(null)]).toEqual([0, 1, 1]);
  });

  it('a rule that tells no recovery makes the edge all the same, in silence', () => {
    const judged = judge({ ...rule, notifyRecovery: false }, [state('s')], [reading('s', false)], timing());
    expect(edgesOf(judged)).toEqual([['s', false, false]]);
  });

  it('of one group in one direction the highest is told, each of the others is made in silence', () => {
    const step = (rank: number, firing: boolean, group = 'budget') =>
      reading(`${group} ${rank}`, firing, { group, rank });
    const states = [state('budget 10'), state('budget 20')];
    const readings = [
      ...[step(50, true), step(80, true), step(10, false), step(20, false)],
      ...[step(50, true, 'other'), reading('alone', true)],
    ];
    expect(edgesOf(judge(rule, states, readings, timing()))).toEqual([
      ['budget 50', true, false],
      ['budget 80', true, true],
      ['budget 10', false, false],
      ['budget 20', false, true],
      ['other 50', true, true],
      ['alone', true, true],
    ]);
  });

  it('a higher step that fires already keeps a lower one that begins from nobody', () => {
    const readings = [50, 80].map((rank) => reading(`s ${rank}`, true, { group: 'b', rank }));
    expect(edgesOf(judge(rule, [state('s 80')], readings, timing()))).toEqual([['s 50', true, true]]);
  });

  it('alternate for each subject, each once, whatever is seen when; no two notices come within a cooldown (property)', () => {
    const look = fc.record({
      afterMs: fc.integer({ min: 0, max: 40_000 }),
      seen: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 30 }), (looks) => {
        const states = new Map<string, AlertStateRow>();
        const fired = new Map<string, number>();
        let nowMs = NOW;
        for (const { afterMs, seen } of looks) {
          nowMs += afterMs;
          const readings = [...new Map(seen)].map(([subject, firing]) => reading(subject, firing));
          const { edges, still } = judge(rule, [...states.values()], readings, timing(nowMs));
          for (const one of still) states.set(one.subject, { ...one, lastSeenAtMs: nowMs });
          for (const {
            reading: { subject, firing },
            before,
          } of edges) {
            expect(firing).not.toBe(states.get(subject)?.firing ?? false);
            expect(before).toBe(states.get(subject) ?? null);
            if (firing) {
              expect(nowMs - (fired.get(subject) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(
                COOLDOWN,
              );
              fired.set(subject, nowMs);
            }
            const lastFiredAtMs = fired.get(subject) ?? null;
            states.set(subject, state(subject, { firing, lastFiredAtMs, lastSeenAtMs: nowMs }));
          }
        }
      }),
    );
  });
});
