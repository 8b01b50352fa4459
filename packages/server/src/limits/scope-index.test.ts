import { describe, expect, it } from 'vitest';
import type { RequestSubject } from './scope.ts';
import { ScopeIndex } from './scope-index.ts';

const REQUEST: RequestSubject = {
  workspaceId: 'w',
  keyId: 'k',
  userId: 'u',
  projectId: 'p',
  sessionId: 's',
  model: 'claude-sonnet-4-5',
  provider: 'anthropic',
  accountId: 'a',
  tags: ['team-a'],
};

describe('patterns of models in scopes', () => {
  const item = (...values: string[]) => ({
    workspaceId: null,
    scope: values.map((value) => ({ kind: 'model' as const, value })),
  });
  const covers = (scope: ReturnType<typeof item>, model: string | null): boolean =>
    new ScopeIndex([scope], (one) => one).matching({ ...REQUEST, model }).length === 1;

  it('are literal but for the star, whole, and tell capitals apart', () => {
    expect(covers(item('claude-*-4-5'), 'claude-sonnet-4-5')).toBe(true);
    expect(covers(item('claude-*'), 'a claude-x')).toBe(false);
    expect(covers(item('claude'), 'claude-x')).toBe(false);
    expect(covers(item('gpt-4.1'), 'gpt-4x1')).toBe(false);
    expect(covers(item('Claude-*'), 'claude-x')).toBe(false);
    expect(covers(item('*'), null)).toBe(false);
  });

  it('all have to match where there are several, the one that finds it included', () => {
    expect(covers(item('claude-*', '*-4-5'), 'claude-sonnet-4-5')).toBe(true);
    expect(covers(item('claude-*', '*-4-6'), 'claude-sonnet-4-5')).toBe(false);
    expect(covers(item('gpt-*', '*-4-5'), 'claude-sonnet-4-5')).toBe(false);
  });

  it('take no longer for a name that almost fits: one key must not hold up all others', () => {
    const hostile = item(`${'*a'.repeat(5)}*b`, `${'*a'.repeat(5)}*c`);
    const startedMs = performance.now();
    expect(covers(hostile, 'a'.repeat(256))).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
