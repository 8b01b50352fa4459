import { describe, expect, it } from 'vitest';
import { isSameModel, withoutReleaseDate } from './model-id.ts';

describe('release dates in model ids', () => {
  it.each([
    ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
    ['gpt-5-2025-08-07', 'gpt-5'],
    ['openai/gpt-5-2025-08-07', 'openai/gpt-5'],
  ])('%s → %s', (id, base) => expect(withoutReleaseDate(id)).toBe(base));

  it.each([
    'claude-sonnet-4-5',
    'gpt-4-0613',
    'mistral-large-2411',
    'gemini-2.0-flash-001',
    'gpt-4o-latest',
    'x-20251301',
    'x-20250932',
    'x-20250900',
    'x-2025-8-7',
    'x-2025-0807',
    'x-202508-07',
    'x@2025-08-07',
    'x-19990101',
    'x-20250929-v1:0',
    '-20250929',
    '20250929',
    '',
  ])('%s carries none', (id) => expect(withoutReleaseDate(id)).toBeNull());

  it('compares models, dates and case aside', () => {
    expect(isSameModel('claude-opus-5', 'Claude-Opus-5-20260601')).toBe(true);
    expect(isSameModel('claude-opus-5@20260601', 'claude-opus-5-20260602')).toBe(true);
    expect(isSameModel('claude-opus-5', 'claude-opus-5-5')).toBe(false);
  });
});
