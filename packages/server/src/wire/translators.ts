import { createTranslators } from '../pipeline/translation/translators.ts';
import type { ApiFlavor } from '../providers/provider.ts';
import { OPENAI_CHAT, OPENAI_RESPONSES } from '../providers/shared/openai-request.ts';
import { chatFormat } from '../translate/chat/format.ts';
import { generateFormat } from '../translate/generate/format.ts';
import type { Format } from '../translate/hub/format.ts';
import { messagesFormat } from '../translate/messages/format.ts';
import { responsesFormat } from '../translate/responses/format.ts';

/** The formats that calls are translated between. Adding one is its folder and a line here. */
export const TRANSLATORS = createTranslators(
  new Map<ApiFlavor, Format>([
    ['anthropic.messages', messagesFormat],
    [OPENAI_CHAT, chatFormat],
    [OPENAI_RESPONSES, responsesFormat],
    ['gemini.generate', generateFormat],
  ]),
);
