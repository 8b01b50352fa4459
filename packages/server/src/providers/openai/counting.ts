import type { InputCounting } from '../provider.ts';
import { countAnswer, countPath, pickMembers } from '../shared/count-question.ts';
import { OPENAI_RESPONSES } from '../shared/openai-request.ts';

/** What the endpoint takes (API reference, "Get input token counts"). */
const TAKEN = [
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'text',
  'reasoning',
  'truncation',
  'parallel_tool_calls',
] as const;
/** They bring content that is not in the request. */
const UNCOUNTED = ['conversation', 'previous_response_id', 'prompt'] as const;

/** `POST /v1/responses/input_tokens`. Chat Completions have no such count. */
export const openaiCounting: InputCounting = {
  request(flavor, body, path) {
    if (flavor !== OPENAI_RESPONSES) return null;
    const picked = pickMembers(body, TAKEN, UNCOUNTED);
    return picked === null ? null : { path: countPath(path, 'responses', 'input_tokens'), body: picked };
  },
  read: countAnswer,
};
