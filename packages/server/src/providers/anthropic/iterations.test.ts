import { type TokenCounts, unknownTokens } from '@tallygate/contract/usage';
import { describe, expect, it } from 'vitest';
import { attributeIterations, type Iteration } from '../shared/messages-iterations.ts';

const tokens = (
  inputUncached: number,
  outputVisible: number,
  more: Partial<TokenCounts> = {},
): TokenCounts => ({
  ...unknownTokens(),
  inputUncached,
  outputVisible,
  ...more,
});
const entry = (type: string, model: string | null, input: number, output: number): Iteration => ({
  type,
  model,
  tokens: tokens(input, output),
});
const MAIN = 'claude-opus-5';

describe('attributing iterations', () => {
  it('leaves an answer without iterations as it is', () => {
    const top = tokens(5, 6);
    expect(attributeIterations(top, [], MAIN)).toEqual({ model: MAIN, tokens: top, calls: null, others: [] });
  });

  it('keeps the detail that only the top level has', () => {
    const top = tokens(100, 4, { outputReasoning: 6 });
    const { tokens: own, calls } = attributeIterations(
      top,
      [entry('message', null, 40, 4), entry('message', null, 60, 6)],
      MAIN,
    );
    expect(own).toEqual(top);
    expect(calls).toHaveLength(2);
  });

  it('adds an advisor of the same model, which the top level leaves out', () => {
    const { tokens: own, others } = attributeIterations(
      tokens(10, 1),
      [entry('message', null, 10, 1), entry('advisor_message', MAIN, 7, 2)],
      MAIN,
    );
    expect(own).toMatchObject({ inputUncached: 17, outputVisible: 3 });
    expect(others).toEqual([]);
  });

  it('gives compaction by another model to that model', () => {
    const { tokens: own, others } = attributeIterations(
      tokens(10, 1),
      [entry('compaction', 'claude-haiku-4-5', 900, 80), entry('message', null, 10, 1)],
      MAIN,
    );
    expect(own).toMatchObject({ inputUncached: 10, outputVisible: 1 });
    expect(others).toMatchObject([
      { model: 'claude-haiku-4-5', tokens: { inputUncached: 900, outputVisible: 80 } },
    ]);
  });

  it('takes a list without messages for an addition', () => {
    const { tokens: own } = attributeIterations(tokens(10, 1), [entry('compaction', null, 900, 80)], MAIN);
    expect(own).toMatchObject({ inputUncached: 910, outputVisible: 81 });
  });

  it('takes the top level for the answer when its list adds up to nothing it knows', () => {
    const { tokens: own, calls } = attributeIterations(
      tokens(999, 9),
      [entry('message', null, 10, 1), entry('message', null, 20, 2)],
      MAIN,
    );
    expect(own).toMatchObject({ inputUncached: 999, outputVisible: 9 });
    expect(calls).toBeNull();
  });

  it('takes the model of the last message when the answer names none', () => {
    const list = [
      entry('message', 'claude-opus-5', 20, 2),
      entry('fallback_message', 'claude-opus-4-8', 10, 1),
    ];
    const result = attributeIterations(tokens(10, 1), list, null);
    expect(result).toMatchObject({ model: 'claude-opus-4-8', tokens: { inputUncached: 10 } });
    expect(result.others).toMatchObject([{ model: 'claude-opus-5', tokens: { inputUncached: 20 } }]);
  });

  it('does not double a fallback chain whose top level is the sum of all attempts', () => {
    const list = [
      entry('message', MAIN, 20, 0),
      entry('message', 'claude-opus-4-8', 20, 0),
      entry('fallback_message', 'claude-sonnet-5', 20, 5),
      entry('advisor_message', 'claude-fable-5', 3, 3),
    ];
    const result = attributeIterations(tokens(60, 5), list, MAIN);
    expect(result.tokens).toMatchObject({ inputUncached: 20, outputVisible: 0 });
    expect(result.others.map((other) => [other.model, other.tokens.inputUncached])).toEqual([
      ['claude-opus-4-8', 20],
      ['claude-sonnet-5', 20],
      ['claude-fable-5', 3],
    ]);
  });
});
