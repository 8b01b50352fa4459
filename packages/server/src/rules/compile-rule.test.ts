import type { RuleConditions } from '@tallygate/contract/api/rules';
import { describe, expect, it } from 'vitest';
import { compileRule } from './compile-rule.ts';
import { failingCondition, findRule } from './find-rule.ts';
import type { RuleSubject } from './rule.ts';

const subject = (change: Partial<RuleSubject> = {}): RuleSubject => ({
  keyId: 'k1',
  projectId: 'p1',
  model: 'claude-opus-4-1',
  atMs: Date.parse('2026-11-26T12:00:00Z'), // a Thursday
  header: (name) => (name === 'x-team' ? 'blue-7' : null),
  user: () => 'user_1_session_2',
  system: () => 'You are the Code Reviewer.\nBe brief.',
  estimatedTokens: () => 1_000,
  ...change,
});
const rule = (conditions: RuleConditions, id = 'r') =>
  compileRule({ id, name: id, conditions, actions: { model: 'x' } });
const holds = (conditions: RuleConditions, change: Partial<RuleSubject> = {}) =>
  failingCondition(rule(conditions), subject(change)) === null;

describe('conditions of a rule (CF-09)', () => {
  it.each<[RuleConditions, boolean]>([
    [{}, true],
    [{ keys: ['k0', 'k1'] }, true],
    [{ keys: ['k2'] }, false],
    [{ projects: ['p1'] }, true],
    [{ projects: ['p2'] }, false],
    [{ models: ['claude-opus-*'] }, true],
    [{ models: ['claude-sonnet-*', 'gpt-*'] }, false],
    [{ users: ['user_1_*'] }, true],
    [{ users: ['user_2_*'] }, false],
    [{ headers: [{ name: 'x-team', pattern: 'blue-*' }] }, true],
    [{ headers: [{ name: 'x-team', pattern: 'red' }] }, false],
    [{ headers: [{ name: 'x-other', pattern: '*' }] }, false],
    [{ systemContains: ['Code Reviewer'] }, true],
    [{ systemContains: ['code reviewer'] }, false],
    [{ minTokens: 1_000, maxTokens: 1_000 }, true],
    [{ minTokens: 1_001 }, false],
    [{ maxTokens: 999 }, false],
    [{ keys: ['k1'], models: ['gpt-*'] }, false],
  ])('%j: %s', (conditions, expected) => {
    expect(holds(conditions)).toBe(expected);
  });

  it('a request without a model, a user or a system prompt matches no pattern of one', () => {
    expect(holds({ models: ['*'] }, { model: null })).toBe(false);
    expect(holds({ users: ['*'] }, { user: () => null })).toBe(false);
    expect(holds({ systemContains: ['a'] }, { system: () => '' })).toBe(false);
  });

  it('a header that is longer than any sensible one matches nothing', () => {
    expect(holds({ headers: [{ name: 'x', pattern: '*' }] }, { header: () => 'x'.repeat(5_000) })).toBe(
      false,
    );
  });

  it.each<[string, string, string, [number[] | undefined, boolean]]>([
    ['2026-11-26T08:59:00Z', '09:00', '17:00', [undefined, false]],
    ['2026-11-26T09:00:00Z', '09:00', '17:00', [undefined, true]],
    ['2026-11-26T16:59:59Z', '09:00', '17:00', [[4], true]],
    ['2026-11-26T17:00:00Z', '09:00', '17:00', [[4], false]],
    ['2026-11-26T12:00:00Z', '09:00', '17:00', [[1, 2, 3], false]],
    ['2026-11-26T23:30:00Z', '22:00', '06:00', [[4], true]],
    ['2026-11-27T05:59:00Z', '22:00', '06:00', [[4], true]],
    ['2026-11-27T06:00:00Z', '22:00', '06:00', [[4], false]],
    ['2026-11-26T05:00:00Z', '22:00', '06:00', [[4], false]],
  ])('at %s, from %s to %s on %j', (at, from, to, [days, expected]) => {
    const time = { from, to, timeZone: 'UTC', ...(days === undefined ? {} : { days }) };
    expect(holds({ time }, { atMs: Date.parse(at) })).toBe(expected);
  });

  it('goes by the clock of the place, and asks it again when a minute has passed', () => {
    const one = rule({ time: { from: '09:00', to: '17:00', timeZone: 'America/New_York' } });
    const at = (text: string) => failingCondition(one, subject({ atMs: Date.parse(text) })) === null;
    expect(at('2026-11-26T13:59:59Z')).toBe(false);
    expect(at('2026-11-26T14:00:00Z')).toBe(true);
    expect(at('2026-11-26T22:00:00Z')).toBe(false);
  });

  it('reads the body only when a rule asks for it', () => {
    const never = () => expect.fail('the body was read');
    const lazy = subject({ system: never, user: never, estimatedTokens: never });
    expect(findRule([rule({ models: ['gpt-*'], systemContains: ['x'], minTokens: 1 })], lazy)).toBeNull();
  });

  it('the first rule that holds is the one, and the failing condition is named', () => {
    const rules = [rule({ models: ['gpt-*'] }, 'a'), rule({}, 'b'), rule({}, 'c')];
    expect(findRule(rules, subject())?.id).toBe('b');
    expect(failingCondition(rules[0] ?? rule({}), subject())).toBe('the model is gpt-*');
  });

  it('refuses a time zone that does not exist', () => {
    expect(() => rule({ time: { from: '00:00', to: '01:00', timeZone: 'Mars/Olympus' } })).toThrow(
      RangeError,
    );
  });
});
