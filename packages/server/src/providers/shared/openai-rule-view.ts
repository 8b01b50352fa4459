import type { ApiFlavor, OutputLimit, RuleView } from '../provider.ts';
import { OPENAI_CHAT, OPENAI_RESPONSES } from './openai-request.ts';
import { messagesOf, plainText } from './plain-text.ts';
import { readMember, readString } from './read-field.ts';
import { readCount } from './scan-content.ts';

const SYSTEM_ROLES = ['system', 'developer'];

function limitMembers(flavor: ApiFlavor, body: unknown): string[] {
  if (flavor === OPENAI_RESPONSES) return ['max_output_tokens'];
  if (flavor !== OPENAI_CHAT) return [];
  // One that is no number is lowered as well: what a server makes of it is not known here.
  const given = ['max_completion_tokens', 'max_tokens'].filter((name) => readMember(body, name) != null);
  return given.length === 0 ? ['max_completion_tokens'] : given;
}

function outputLimits(flavor: ApiFlavor, body: unknown): OutputLimit[] {
  return limitMembers(flavor, body).map((member) => ({
    member,
    current: readCount(body, member),
    lowered: (limit) => limit,
  }));
}

/** What rules see of a request in this format. */
export function openaiRuleView(flavor: ApiFlavor, body: unknown): RuleView {
  return {
    system: () =>
      plainText(
        readMember(body, 'instructions'),
        messagesOf(readMember(body, 'messages') ?? readMember(body, 'input'), SYSTEM_ROLES),
      ),
    user: () => readString(body, 'safety_identifier') ?? readString(body, 'user'),
    outputLimits: () => outputLimits(flavor, body),
  };
}
