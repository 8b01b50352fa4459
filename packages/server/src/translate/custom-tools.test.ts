import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatFormat } from './chat/format.ts';
import { generateFormat } from './generate/format.ts';
import type { AnswerEvent } from './hub/answer.ts';
import type { AnswerContext, Format } from './hub/format.ts';
import type { JsonObject } from './hub/json.ts';
import { Losses } from './hub/losses.ts';
import { messagesFormat } from './messages/format.ts';
import { responsesFormat } from './responses/format.ts';

const GRAMMAR = { syntax: 'lark', definition: 'start: /.+/' };
const PATCH = '*** Begin Patch\n"quoted" \\ 🚀';

/** The same turn in both formats: a tool of text, one of arguments, a call of the first, and its result. */
const CHAT = {
  model: 'm',
  messages: [
    { role: 'user', content: 'Fix it' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c1', type: 'custom', custom: { name: 'patch', input: PATCH } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'done' },
  ],
  tools: [
    {
      type: 'custom',
      custom: { name: 'patch', description: 'Applies', format: { type: 'grammar', grammar: GRAMMAR } },
    },
  ],
  tool_choice: { type: 'custom', custom: { name: 'patch' } },
};
const RESPONSES = {
  model: 'm',
  input: [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Fix it' }] },
    { type: 'custom_tool_call', call_id: 'c1', name: 'patch', input: PATCH },
    { type: 'custom_tool_call_output', call_id: 'c1', output: 'done' },
  ],
  tools: [{ type: 'custom', name: 'patch', description: 'Applies', format: { type: 'grammar', ...GRAMMAR } }],
  tool_choice: { type: 'custom', name: 'patch' },
};

function written(from: Format, to: Format, body: JsonObject, oldNames = false) {
  const losses = new Losses();
  const ask = from.readRequest(body, { model: 'm', stream: false }, losses);
  const sent = to.writeRequest(ask, { oldNames, defaultMaxOutputTokens: 4096 }, losses);
  return { sent, hints: [...losses.hints], substance: [...losses.substance] };
}

const contextOf = (request: JsonObject): AnswerContext => ({
  requestId: 'r1',
  model: 'm',
  startedAtSeconds: 1,
  estimatedInputTokens: 1,
  request,
  events: true,
});

describe('tools that take text (X-04)', () => {
  it('are the same thing in both formats that have them', () => {
    const there = written(chatFormat, responsesFormat, CHAT);
    expect(there.sent).toMatchObject(RESPONSES);
    const back = written(responsesFormat, chatFormat, RESPONSES);
    expect(back.sent).toMatchObject(CHAT);
    expect([there.hints, there.substance, back.hints, back.substance]).toEqual([[], [], [], []]);
  });

  it.each<[string, Format, boolean]>([
    ['Messages', messagesFormat, false],
    ['generateContent', generateFormat, false],
    ['a server that knows only older names', chatFormat, true],
  ])(
    'become a function with one argument for %s, which says the grammar that nothing enforces there',
    (_name, to, old) => {
      for (const [from, body] of [
        [chatFormat, CHAT],
        [responsesFormat, RESPONSES],
      ] as const) {
        if (from === to) continue;
        const { sent, hints, substance } = written(from, to, body, old);
        expect([hints, substance]).toEqual([['tools[].format'], []]);
        const text = JSON.stringify(sent);
        expect(text).toContain('"required":["input"]');
        expect(text).not.toContain('"custom"');
        expect(text).toContain('Applies\\n\\n');
        expect(text).toContain('follow this grammar (lark):\\nstart: /.+/');
        expect(text).toContain(JSON.stringify(PATCH).slice(1, -1).slice(0, 15));
      }
    },
  );

  it('a grammar that is none is no loss', () => {
    const plain = { ...CHAT, tools: [{ type: 'custom', custom: { name: 'patch' } }] };
    expect(written(chatFormat, messagesFormat, plain).hints).toEqual([]);
    expect(written(chatFormat, responsesFormat, plain).sent.tools).toEqual([
      { type: 'custom', name: 'patch' },
    ]);
  });
});

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({ id: 'x', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });
const callChunk = (entry: object) => chunk({ tool_calls: [{ index: 0, ...entry }] });

function chatPieces(pieces: readonly string[]): [string | null, string][] {
  const [first = '', ...rest] = pieces;
  return [
    [null, callChunk({ id: 'c1', type: 'custom', custom: { name: 'patch', input: first } })],
    ...rest.map((input): [null, string] => [null, callChunk({ custom: { input } })]),
    [null, chunk({}, 'tool_calls')],
    [null, '[DONE]'],
  ];
}

function responsesPieces(pieces: readonly string[]): [string | null, string][] {
  const item = { type: 'custom_tool_call', id: 'i', call_id: 'c1', name: 'patch', input: pieces.join('') };
  const output_index = 0;
  const events = [
    { type: 'response.created', response: { id: 'x', model: 'm' } },
    { type: 'response.output_item.added', output_index, item: { ...item, input: '' } },
    ...pieces.map((delta) => ({ type: 'response.custom_tool_call_input.delta', output_index, delta })),
    { type: 'response.custom_tool_call_input.done', output_index, input: item.input },
    { type: 'response.output_item.done', output_index, item },
    { type: 'response.completed', response: { id: 'x', status: 'completed', output: [item] } },
  ];
  return events.map((event) => [event.type, JSON.stringify(event)]);
}

function readAll(format: Format, frames: readonly [string | null, string][]): AnswerEvent[] {
  const reader = format.createReader();
  return [...frames.flatMap(([name, data]) => reader.read(name, data)), ...reader.end()];
}

/** The text of the call as a client of the format puts it together out of the stream. */
const CLIENT_TEXT: Record<string, (stream: string) => string> = {
  chat: (stream) =>
    [...stream.matchAll(/^data: (\{.*\})$/gm)]
      .flatMap(
        ([, data = '']) =>
          JSON.parse(data).choices as { delta: { tool_calls?: { custom?: { input?: string } }[] } }[],
      )
      .flatMap(({ delta }) => delta.tool_calls ?? [])
      .map(({ custom }) => custom?.input ?? '')
      .join(''),
  responses: (stream) =>
    [...stream.matchAll(/^event: response\.custom_tool_call_input\.delta\ndata: (.*)$/gm)]
      .map(([, data = '']) => (JSON.parse(data) as { delta: string }).delta)
      .join(''),
};

describe.each([
  { client: chatFormat, upstream: responsesFormat, request: CHAT, piecesOf: responsesPieces },
  { client: responsesFormat, upstream: chatFormat, request: RESPONSES, piecesOf: chatPieces },
])('$client.id client, $upstream.id upstream: the call of such a tool', (pair) => {
  const { client, upstream, request, piecesOf } = pair;
  it('arrives whole, however its text was cut', () => {
    const pieces = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(pieces, (cut) => {
        const events = readAll(upstream, piecesOf(cut));
        const writer = client.createWriter(contextOf(request));
        const stream = events.map((event) => writer.write(event)).join('');
        expect(CLIENT_TEXT[client.id]?.(stream)).toBe(cut.join(''));
        const whole = JSON.stringify(client.writeAnswer(events, contextOf(request)));
        expect(whole).toContain(`"input":${JSON.stringify(cut.join(''))}`);
        expect(whole).not.toContain('"arguments"');
      }),
      { numRuns: 100 },
    );
  });

  it('ends the turn for calls', () => {
    const events = readAll(upstream, piecesOf(['a']));
    expect(events).toContainEqual({ type: 'stop', reason: 'tools', sequence: null });
    expect(events.at(-1)).toEqual({ type: 'end' });
  });

  it('is read the same from a whole answer', () => {
    const whole =
      upstream === chatFormat
        ? {
            choices: [{ message: { tool_calls: CHAT.messages[1]?.tool_calls }, finish_reason: 'tool_calls' }],
          }
        : { status: 'completed', output: [RESPONSES.input[1]] };
    const text = JSON.stringify(client.writeAnswer(upstream.readAnswer(whole), contextOf(request)));
    expect(text).toContain(`"input":${JSON.stringify(PATCH)}`);
  });
});
