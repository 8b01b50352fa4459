import { describe, expect, it } from 'vitest';
import { geminiRuleView } from '../gemini/rule-view.ts';
import { openaiRuleView } from './openai-rule-view.ts';

/** The body after a rule lowered every limit that is not known to be low enough. */
function clamped(
  body: Record<string, unknown>,
  limit: number,
  view = geminiRuleView('gemini.generate', body),
): Record<string, unknown> {
  const next = { ...body };
  for (const { member, current, lowered } of view.outputLimits())
    if (current === null || current > limit) next[member] = lowered(limit);
  return next;
}

describe('output limits that a rule lowers (CF-09)', () => {
  it('are those of every spelling of the configuration, with one limit left in each', () => {
    expect(clamped({ generation_config: { max_output_tokens: 900, topK: 1 } }, 50)).toEqual({
      generation_config: { topK: 1, maxOutputTokens: 50 },
    });
    const both = { generationConfig: { maxOutputTokens: 10 }, generation_config: { maxOutputTokens: 900 } };
    expect(clamped(both, 50)).toEqual({
      generationConfig: { maxOutputTokens: 10 },
      generation_config: { maxOutputTokens: 50 },
    });
    const twice = { generationConfig: { maxOutputTokens: 10, max_output_tokens: 900 } };
    expect(clamped(twice, 50)).toEqual({ generationConfig: { maxOutputTokens: 50 } });
    expect(clamped({ generationConfig: { maxOutputTokens: '900' } }, 50)).toEqual({
      generationConfig: { maxOutputTokens: 50 },
    });
  });

  it('are added where there is none, and left alone where they are low enough', () => {
    expect(clamped({ contents: [] }, 50)).toEqual({
      contents: [],
      generationConfig: { maxOutputTokens: 50 },
    });
    const low = { generation_config: { max_output_tokens: 5 } };
    expect(clamped(low, 50)).toEqual(low);
  });

  it('are both members of a chat that has both, also where one is no number', () => {
    const body = { max_tokens: -1, max_completion_tokens: 10 };
    const view = openaiRuleView('openai.chat', body);
    expect(clamped(body, 50, view)).toEqual({ max_tokens: 50, max_completion_tokens: 10 });
  });
});
