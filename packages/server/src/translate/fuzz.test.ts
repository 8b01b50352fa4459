import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatFormat } from './chat/format.ts';
import { generateFormat } from './generate/format.ts';
import type { AnswerContext, Format } from './hub/format.ts';
import { Losses } from './hub/losses.ts';
import { UnreadableRequest } from './hub/unreadable-request.ts';
import { messagesFormat } from './messages/format.ts';
import { responsesFormat } from './responses/format.ts';

const FORMATS: readonly Format[] = [messagesFormat, chatFormat, responsesFormat, generateFormat];
const RUNS = { numRuns: 400 };

/** Members and kinds that the formats know, so that what is made up gets past the first look. */
const NAMES =
  'type role content parts text messages input contents system instructions tools function name arguments call_id id tool_calls tool_use_id functionCall functionResponse args response thinking signature reasoning_details data summary encrypted_content source image_url url inlineData mimeType choices message delta index finish_reason usage output item output_index content_block candidates finishReason error response_format json_schema schema generationConfig thinkingConfig tool_choice stop reasoning output_config format'.split(
    ' ',
  );
const KINDS =
  'text image document tool_use tool_result thinking redacted_thinking function custom message function_call function_call_output reasoning input_text output_text input_image input_file refusal user assistant model system tool image_url file input_audio message_start content_block_start content_block_delta content_block_stop message_delta message_stop error response.created response.output_item.added response.output_item.done response.output_text.delta response.completed base64 url json_schema tallygate.sealed dGcxW10'.split(
    ' ',
  );
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    // The last one is an object that cannot be made a text.
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', '{}', { toString: 'x' }),
    fc.constantFrom(...KINDS),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value;
const body = fc.dictionary(fc.constantFrom(...NAMES), anything, { maxKeys: 8, noNullPrototype: true });

/** Objects that say what they are: a role, a kind, and what may belong to it. */
const piece = fc
  .record({
    role: fc.constantFrom<unknown>('user', 'assistant', 'model', 'tool', 'system', { toString: 'x' }),
    type: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom<unknown>(...KINDS) },
      { weight: 1, arbitrary: anything },
    ),
    more: body,
  })
  .map(({ role, type, more }) => ({ ...more, role, type }));
const message = fc
  .record({ said: piece, content: fc.oneof(anything, fc.array(piece, { maxLength: 4 })) })
  .map(({ said, content }) => ({ ...said, content, parts: content }));
const list = fc.array(fc.oneof(message, piece), { maxLength: 4 });
const request = fc
  .record({ body, list, tools: fc.array(piece, { maxLength: 2 }) })
  .map(({ body: rest, list: turns, tools }) => ({
    ...rest,
    messages: turns,
    input: turns,
    contents: turns,
    tools,
  }));
const answer = fc.record({ body, list }).map(({ body: rest, list: said }) => ({
  ...rest,
  content: said,
  output: said,
  choices: said.map((one) => ({ index: 0, message: one, delta: one, finish_reason: 'stop' })),
  candidates: [{ content: { parts: said }, finishReason: 'STOP' }],
}));

const context: AnswerContext = {
  requestId: 'r',
  model: 'm',
  startedAtSeconds: 1,
  estimatedInputTokens: 1,
  request: {},
  events: true,
};

describe('whatever is sent, a translator answers or says what is wrong (X-04)', () => {
  it.each(FORMATS)('requests of $id', (client) => {
    fc.assert(
      fc.property(request, (sent) => {
        try {
          const ask = client.readRequest(sent, { model: 'm', stream: false }, new Losses());
          for (const upstream of FORMATS)
            JSON.stringify(
              upstream.writeRequest(ask, { oldNames: false, defaultMaxOutputTokens: 9 }, new Losses()),
            );
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableRequest);
        }
      }),
      RUNS,
    );
  });

  it.each(FORMATS)('answers of $id, whole and streamed', (upstream) => {
    fc.assert(
      fc.property(
        fc.oneof(answer, anything),
        fc.array(fc.oneof(answer, piece, anything), { maxLength: 6 }),
        (whole, frames) => {
          const reader = upstream.createReader();
          const streamed = [
            ...frames.flatMap((frame) => reader.read(null, JSON.stringify(frame))),
            ...reader.end(),
          ];
          for (const client of FORMATS) {
            client.writeAnswer(upstream.readAnswer(whole), context);
            const writer = client.createWriter(context);
            for (const event of streamed) expect(typeof writer.write(event)).toBe('string');
          }
          upstream.readError(whole);
        },
      ),
      RUNS,
    );
  });
});
