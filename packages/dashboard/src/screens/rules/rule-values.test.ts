import type { RuleActions, RuleConditions } from '@tallygate/contract/api/rules';
import { describe, expect, it } from 'vitest';
import { fieldOf, fitsForm, openingValues, partsOf, problemsOf, toParts, toValues } from './rule-values.ts';

const FULL: { conditions: RuleConditions; actions: RuleActions } = {
  conditions: {
    keys: ['k1', 'k2'],
    projects: ['p1'],
    users: ['user_*'],
    models: ['claude-opus-*', 'gpt-5*'],
    headers: [{ name: 'x-team', pattern: 'blue *' }],
    systemContains: ['You are a code reviewer'],
    time: { days: [1, 5], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' },
    minTokens: 0,
    maxTokens: 5000,
  },
  actions: {
    model: 'claude-haiku-4-5',
    pool: 'pool1',
    setHeaders: [{ name: 'x-tag', value: ' spaced ' }],
    removeHeaders: ['x-debug'],
    maxOutputTokens: 1024,
    ownKey: true,
    fallbacks: [{ model: 'claude-sonnet-4-5' }, { pool: 'pool2' }],
  },
};

const viewOf = (parts: typeof FULL) => ({ id: 'r', name: 'r', enabled: true, createdAt: '', ...parts });

describe('a rule as the form shows it (CF-09)', () => {
  it.each<[string, typeof FULL]>([
    ['with everything', FULL],
    ['with nothing', { conditions: {}, actions: {} }],
    [
      'that refuses',
      { conditions: { time: { from: '09:00', to: '17:00', timeZone: 'UTC' } }, actions: { deny: 'No.' } },
    ],
    ...Object.entries(FULL.conditions).map(([name, value]): [string, typeof FULL] => [
      name,
      { conditions: { [name]: value }, actions: {} },
    ]),
    ...Object.entries(FULL.actions).map(([name, value]): [string, typeof FULL] => [
      name,
      { conditions: {}, actions: { [name]: value } },
    ]),
  ])('%s: what is saved is what was opened', (_name, parts) => {
    const values = openingValues(viewOf(parts));
    expect(values.view).toBe('form');
    expect(partsOf(values)).toEqual(parts);
    expect(partsOf({ ...values, view: 'json' })).toEqual(parts);
  });

  it.each<[string, Partial<RuleConditions>]>([
    ['a marker of several lines', { systemContains: ['You are\na reviewer'] }],
    ['a marker with a space at its end', { systemContains: ['You are '] }],
  ])('%s opens as JSON, because fields would change it', (_name, conditions) => {
    const parts = { conditions: conditions as RuleConditions, actions: { model: 'm' } };
    expect(fitsForm(parts)).toBe(false);
    const values = openingValues(viewOf(parts));
    expect(values.view).toBe('json');
    expect(partsOf(values)).toEqual(parts);
  });

  it('rows that were begun and left empty are left out, and refusing leaves every change out', () => {
    const values = toValues('n', FULL);
    const emptied = { ...values, headers: [...values.headers, { name: ' ', value: '' }] };
    expect(toParts(emptied)).toEqual(FULL);
    expect(toParts({ ...values, refuses: true, deny: 'No.' }).actions).toEqual({ deny: 'No.' });
  });

  it('complaints stand at the field that they are about', () => {
    const values = {
      ...toValues('', FULL),
      headers: [{ name: 'bad name', value: '*' }],
      timed: true,
      from: '',
      setHeaders: [{ name: 'x-a', value: 'ü' }],
    };
    expect(Object.keys(problemsOf(values)).sort()).toEqual([
      'from',
      'headers.0.name',
      'name',
      'setHeaders.0.value',
    ]);
    expect(problemsOf({ ...values, name: 'n', view: 'json', conditionsJson: '{' })).toEqual({
      conditionsJson: 'Is not JSON.',
    });
    expect(fieldOf('conditions.time.timeZone')).toBe('timeZone');
    expect(fieldOf('actions.fallbacks')).toBe('fallbacks');
  });
});
