import type { InputCounting } from '../provider.ts';
import { countAnswer, countPath, pickMembers } from '../shared/count-question.ts';

/** What the endpoint takes; it refuses members it does not know (docs, "Count tokens in a Message"). */
const TAKEN = ['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking'] as const;
/** They bring content that the count would not have. */
const UNCOUNTED = ['mcp_servers', 'container', 'context_management'] as const;

/** `POST /v1/messages/count_tokens`. */
export const anthropicCounting: InputCounting = {
  request(flavor, body, path) {
    if (flavor !== 'anthropic.messages') return null;
    const picked = pickMembers(body, TAKEN, UNCOUNTED);
    return picked === null ? null : { path: countPath(path, 'messages', 'count_tokens'), body: picked };
  },
  read: countAnswer,
};
