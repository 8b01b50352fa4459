import type { OutputLimit, RuleView } from '../provider.ts';
import { plainText } from '../shared/plain-text.ts';
import { readMember } from '../shared/read-field.ts';
import { readCount } from '../shared/scan-content.ts';

const CONFIG_NAMES = ['generationConfig', 'generation_config'];
const LIMIT_NAMES = ['maxOutputTokens', 'max_output_tokens'];

/** What rules see of a request of this API, which names no end user. Its output limit is inside `generationConfig`. */
export function geminiRuleView(flavor: string, body: unknown): RuleView {
  return {
    system: () => plainText(readMember(body, 'systemInstruction') ?? readMember(body, 'system_instruction')),
    user: () => null,
    outputLimits: () => (flavor === 'gemini.generate' ? outputLimits(body) : []),
  };
}

/** The configuration in each spelling that is there: only the provider knows which one it takes. */
function outputLimits(body: unknown): OutputLimit[] {
  const given = CONFIG_NAMES.filter((name) => readMember(body, name) != null);
  return (given.length === 0 ? CONFIG_NAMES.slice(0, 1) : given).map((member) => {
    const config = readMember(body, member);
    const limits = LIMIT_NAMES.filter((name) => readMember(config, name) != null);
    const counts = limits.map((name) => readCount(config, name));
    const known = counts.filter((count) => count !== null);
    const current = known.length === 0 || known.length < counts.length ? null : Math.max(...known);
    return { member, current, lowered: (limit) => lowered(config, limit) };
  });
}

/** One spelling of the limit stays. */
function lowered(config: unknown, limit: number): object {
  const given = typeof config === 'object' && config !== null && !Array.isArray(config) ? config : {};
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !LIMIT_NAMES.includes(name)));
  return { ...rest, maxOutputTokens: limit };
}
