import type { RuleView } from '../provider.ts';
import { messagesOf, plainText } from './plain-text.ts';
import { readMember, readString } from './read-field.ts';
import { readCount } from './scan-content.ts';

/** What rules see of a Messages request. */
export function messagesRuleView(flavor: string, body: unknown): RuleView {
  return {
    system: () => plainText(readMember(body, 'system'), messagesOf(readMember(body, 'messages'), ['system'])),
    user: () => readString(readMember(body, 'metadata'), 'user_id', 1024),
    outputLimits: () =>
      flavor === 'anthropic.messages'
        ? [{ member: 'max_tokens', current: readCount(body, 'max_tokens'), lowered: (limit) => limit }]
        : [],
  };
}
