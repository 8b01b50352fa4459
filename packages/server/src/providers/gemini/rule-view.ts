import type { RuleView } from '../provider.ts';
import { plainText } from '../shared/plain-text.ts';
import { readMember } from '../shared/read-field.ts';
import { readCount } from '../shared/scan-content.ts';

/** What rules see of a request of this API, which names no end user. Its output limit is inside `generationConfig`. */
export function geminiRuleView(flavor: string, body: unknown): RuleView {
  const config = readMember(body, 'generationConfig');
  const given = typeof config === 'object' && config !== null && !Array.isArray(config) ? config : {};
  return {
    system: () => plainText(readMember(body, 'systemInstruction') ?? readMember(body, 'system_instruction')),
    user: () => null,
    outputLimits: () =>
      flavor === 'gemini.generate'
        ? [
            {
              member: 'generationConfig',
              current: readCount(config, 'maxOutputTokens') ?? readCount(config, 'max_output_tokens'),
              lowered: (limit) => lowered(given, limit),
            },
          ]
        : [],
  };
}

/** One spelling stays: with both, only the provider knows which one it takes. */
function lowered(config: object, limit: number): object {
  const rest = Object.fromEntries(Object.entries(config).filter(([name]) => name !== 'max_output_tokens'));
  return { ...rest, maxOutputTokens: limit };
}
