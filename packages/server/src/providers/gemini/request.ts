import type { RequestFacts } from '../provider.ts';
import { openingWords } from '../shared/opening-words.ts';
import { readMember } from '../shared/read-field.ts';

const MODEL_AND_ACTION = /\/models\/([^/:?]+)(?::(\w+))?$/;

/** Facts of a request: this API names the model and the way to answer in the path, never in the body. */
export function geminiFacts(body: unknown, path: string): RequestFacts {
  const [, model = null, action = ''] = MODEL_AND_ACTION.exec(path) ?? [];
  const instructions =
    readMember(body, 'systemInstruction') ?? readMember(body, 'system_instruction') ?? undefined;
  return {
    model,
    stream: action === 'streamGenerateContent',
    sessionId: null,
    affinity: openingWords(instructions, readMember(body, 'contents')),
    injectIncludeUsage: false,
  };
}
