import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../providers/shared/sse-split.ts';
import { chatFormat } from './chat/format.ts';
import { generateFormat } from './generate/format.ts';
import type { AnswerEvent } from './hub/answer.ts';
import { collectAnswer } from './hub/collect-answer.ts';
import type { AnswerContext, Format } from './hub/format.ts';
import type { JsonDraft, JsonObject } from './hub/json.ts';
import { Losses } from './hub/losses.ts';
import { messagesFormat } from './messages/format.ts';
import { responsesFormat } from './responses/format.ts';

const FORMATS = [messagesFormat, chatFormat, responsesFormat, generateFormat];
const PAIRS = FORMATS.flatMap((client) =>
  FORMATS.filter((other) => other !== client).map((upstream) => [client, upstream] as const),
);
const named = PAIRS.map(
  ([client, upstream]) => [`${client.id} client, ${upstream.id} upstream`, client, upstream] as const,
);
const RUNS = { numRuns: 100 };
const TRAITS = { oldNames: false, defaultMaxOutputTokens: 4096 };

type Said =
  | { kind: 'thinking' | 'text'; text: string }
  | { kind: 'call'; id: string; name: string; args: Record<string, unknown> };

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const someArgs = fc.dictionary(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.jsonValue({ depthSize: 'small' }),
  {
    maxKeys: 4,
    noNullPrototype: true,
  },
);

/** What a model said: thinking, a text, calls; and thinking between them where the format keeps that order. */
function saidBy(format: string): fc.Arbitrary<Said[]> {
  const thought = fc.option(words);
  const between = format === 'messages' || format === 'responses' ? thought : fc.constant(null);
  const calls = fc.array(
    fc.record({ before: between, name: fc.constantFrom('read', 'write'), args: someArgs }),
    { maxLength: 3 },
  );
  return fc.record({ first: thought, text: words, calls }).map(({ first, text, calls: list }) => {
    const thinking = (said: string | null): Said[] =>
      said === null ? [] : [{ kind: 'thinking', text: said }];
    return [
      ...thinking(first),
      { kind: 'text', text },
      ...list.flatMap(({ before, name, args }, index): Said[] => [
        ...thinking(before),
        { kind: 'call', id: `call_${index}`, name, args },
      ]),
    ];
  });
}

const BLOCKS: Record<string, (part: Said, index: number) => JsonDraft> = {
  messages: (part, index) =>
    part.kind === 'call'
      ? { type: 'tool_use', id: part.id, name: part.name, input: part.args }
      : part.kind === 'text'
        ? { type: 'text', text: part.text }
        : { type: 'thinking', thinking: part.text, signature: `sig/${index}+==` },
  responses: (part, index) =>
    part.kind === 'call'
      ? {
          type: 'function_call',
          id: `fc_${index}`,
          call_id: part.id,
          name: part.name,
          arguments: JSON.stringify(part.args),
        }
      : part.kind === 'text'
        ? {
            type: 'message',
            id: `msg_${index}`,
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text: part.text, annotations: [] }],
          }
        : {
            type: 'reasoning',
            id: `rs_${index}`,
            summary: [{ type: 'summary_text', text: part.text }],
            encrypted_content: `enc/${index}+==`,
          },
  generate: (part, index) =>
    part.kind === 'call'
      ? { functionCall: { id: part.id, name: part.name, args: part.args }, thoughtSignature: `c2ln${index}` }
      : { text: part.text, ...(part.kind === 'thinking' ? { thought: true } : {}) },
};

/** The answer as the upstream gives it. */
function nativeAnswer(format: string, said: readonly Said[]): { body: JsonDraft; blocks: JsonDraft[] } {
  const calls = said.some(({ kind }) => kind === 'call');
  if (format === 'chat') {
    const texts = (kind: string) =>
      said.map((part) => (part.kind === kind && part.kind !== 'call' ? part.text : '')).join('');
    const message: JsonDraft = { role: 'assistant', content: texts('text') };
    if (texts('thinking') !== '') message.reasoning_content = texts('thinking');
    const toolCalls = said.flatMap((part) =>
      part.kind === 'call'
        ? [
            {
              id: part.id,
              type: 'function',
              function: { name: part.name, arguments: JSON.stringify(part.args) },
            },
          ]
        : [],
    );
    if (calls) message.tool_calls = toolCalls;
    const choice = { index: 0, message, finish_reason: calls ? 'tool_calls' : 'stop' };
    return {
      body: { id: 'x', model: 'm', choices: [choice], usage: { prompt_tokens: 9, completion_tokens: 3 } },
      blocks: [message],
    };
  }
  const blocks = said.map((part, index) => BLOCKS[format]?.(part, index) ?? {});
  if (format === 'messages')
    return {
      blocks,
      body: {
        id: 'x',
        model: 'm',
        content: blocks,
        stop_reason: calls ? 'tool_use' : 'end_turn',
        usage: { input_tokens: 9, output_tokens: 3 },
      },
    };
  if (format === 'responses')
    return {
      blocks,
      body: {
        id: 'x',
        model: 'm',
        status: 'completed',
        output: blocks,
        usage: { input_tokens: 9, output_tokens: 3 },
      },
    };
  return {
    blocks,
    body: {
      modelVersion: 'm',
      candidates: [{ content: { parts: blocks }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3 },
    },
  };
}

const context: AnswerContext = {
  requestId: '0190-0001',
  model: 'm',
  startedAtSeconds: 1,
  estimatedInputTokens: 5,
  request: { stream_options: { include_usage: true } },
  events: true,
};

type Path = (string | number)[];
const at = (value: unknown, ...path: Path): unknown =>
  path.reduce<unknown>((inner, name) => (inner as Record<string | number, unknown>)[name], value);
const listAt = (value: unknown, ...path: Path): JsonDraft[] =>
  (at(value, ...path) as JsonDraft[] | undefined) ?? [];
const ofType = (list: JsonDraft[], type: string): JsonDraft[] => list.filter((entry) => entry.type === type);

/** Calls of an answer, by what their results name. */
const CALLS: Record<string, (answer: unknown) => { id: unknown; name: unknown }[]> = {
  messages: (answer) => ofType(listAt(answer, 'content'), 'tool_use').map(({ id, name }) => ({ id, name })),
  chat: (answer) =>
    listAt(answer, 'choices', 0, 'message', 'tool_calls').map((call) => ({
      id: call.id,
      name: at(call, 'function', 'name'),
    })),
  responses: (answer) =>
    ofType(listAt(answer, 'output'), 'function_call').map(({ call_id, name }) => ({ id: call_id, name })),
  generate: (answer) =>
    listAt(answer, 'candidates', 0, 'content', 'parts')
      .filter((part) => part.functionCall !== undefined)
      .map((part) => ({ id: at(part, 'functionCall', 'id'), name: at(part, 'functionCall', 'name') })),
};

/** What an agent sends next: what it was answered, and results of the calls. */
function nextRequest(client: Format, answer: unknown): JsonObject {
  const results = CALLS[client.id]?.(answer) ?? [];
  switch (client.id) {
    case 'messages': {
      const said = results.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }));
      return {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: at(answer, 'content') },
          { role: 'user', content: [...said, { type: 'text', text: 'next' }] },
        ],
      };
    }
    case 'chat': {
      const said = results.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }));
      const message = at(answer, 'choices', 0, 'message');
      return {
        messages: [{ role: 'user', content: 'Hi' }, message, ...said, { role: 'user', content: 'next' }],
      };
    }
    case 'responses': {
      const said = results.map(({ id }) => ({ type: 'function_call_output', call_id: id, output: 'ok' }));
      return {
        input: [
          { role: 'user', content: 'Hi' },
          ...listAt(answer, 'output'),
          ...said,
          { role: 'user', content: 'next' },
        ],
      };
    }
    case 'generate': {
      const said = results.map(({ id, name }) => ({
        functionResponse: { id, name, response: { output: 'ok' } },
      }));
      return {
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }] },
          at(answer, 'candidates', 0, 'content'),
          { role: 'user', parts: [...said, { text: 'next' }] },
        ],
      };
    }
  }
}

/** The model's turn in a request of the upstream's format, and what follows it. */
const TURN: Record<string, (body: unknown) => { said: unknown; results: unknown }> = {
  messages: (body) => ({ said: at(body, 'messages', 1, 'content'), results: at(body, 'messages', 2) }),
  chat: (body) => ({ said: [at(body, 'messages', 1)], results: listAt(body, 'messages').slice(2) }),
  responses: (body) => {
    const input = listAt(body, 'input');
    const results = ofType(input, 'function_call_output');
    return { said: input.slice(1, -1 - results.length), results: [...results, input.at(-1)] };
  },
  generate: (body) => ({ said: at(body, 'contents', 1, 'parts'), results: at(body, 'contents', 2) }),
};

/** What the API does not want back: ids of items, and thoughts that are for people. */
function expectedBack(format: string, blocks: readonly JsonDraft[]): JsonDraft[] {
  if (format === 'generate') return blocks.filter(({ thought }) => thought !== true);
  if (format !== 'responses') return [...blocks];
  return blocks.map(({ id, status, ...rest }) => {
    expect(status === undefined || status === 'completed').toBe(true);
    return rest.type === 'reasoning' ? { id, ...rest } : rest;
  });
}

function streamed(upstream: Format, events: readonly AnswerEvent[]): AnswerEvent[] {
  const writer = upstream.createWriter(context);
  const reader = upstream.createReader();
  const frames = events
    .map((event) => writer.write(event))
    .join('')
    .split('\n\n')
    .filter((frame) => frame !== '');
  const read = frames.map(parseEvent).flatMap(({ name, data }) => reader.read(name, data));
  return [...read, ...reader.end()];
}

describe('answers go back to where they came from, byte for byte (X-04)', () => {
  it.each(named)('%s', (_name, client, upstream) => {
    fc.assert(
      fc.property(saidBy(upstream.id), (said) => {
        const { body, blocks } = nativeAnswer(upstream.id, said);
        const answer = client.writeAnswer(upstream.readAnswer(body), context);
        const request = nextRequest(client, JSON.parse(JSON.stringify(answer)));
        const losses = new Losses();
        const ask = client.readRequest(request, { model: 'm', stream: false }, losses);
        const sent = upstream.writeRequest(ask, TRAITS, losses);
        const turn = TURN[upstream.id]?.(JSON.parse(JSON.stringify(sent)));
        expect(turn?.said).toEqual(JSON.parse(JSON.stringify(expectedBack(upstream.id, blocks))));
        const results = JSON.stringify(turn?.results);
        expect(results).toContain('next');
        for (const part of said) if (part.kind === 'call') expect(results).toContain(part.id);
        expect([...losses.substance]).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('a client that leaves thoughts out of the next turn still brings them back (X-04)', () => {
  it.each([chatFormat, messagesFormat, responsesFormat])('to $id', (upstream) => {
    const said: Said[] = [
      { kind: 'thinking', text: 'Let me see' },
      { kind: 'text', text: 'I look.' },
      { kind: 'call', id: 'call_0', name: 'read', args: { path: '/a' } },
    ];
    const { body, blocks } = nativeAnswer(upstream.id, said);
    const events = upstream.readAnswer(body);
    const pieces = generateFormat.createWriter(context);
    const streamedParts = events
      .map((event) => pieces.write(event))
      .join('')
      .split('\n\n')
      .filter((frame) => frame !== '')
      .flatMap((frame) => listAt(JSON.parse(parseEvent(frame).data), 'candidates', 0, 'content', 'parts'));
    const wholeParts = listAt(
      generateFormat.writeAnswer(events, context),
      'candidates',
      0,
      'content',
      'parts',
    );
    for (const parts of [wholeParts, streamedParts]) {
      const kept = parts.filter(({ thought, text }) => thought !== true && text !== '');
      const answer = { candidates: [{ content: { role: 'model', parts: kept } }] };
      const ask = generateFormat.readRequest(
        nextRequest(generateFormat, answer),
        { model: 'm', stream: false },
        new Losses(),
      );
      const sent = JSON.stringify(upstream.writeRequest(ask, TRAITS, new Losses()));
      const [thought] = blocks;
      // Messages wants thinking first.
      if (upstream.id === 'messages')
        expect(sent).toContain(JSON.stringify({ role: 'assistant', content: blocks }));
      expect(sent).toContain(
        upstream.id === 'chat' ? '"reasoning_content":"Let me see"' : JSON.stringify(thought),
      );
    }
  });
});

/** An answer by what it says: some formats keep texts together and thinking apart. */
function gist(events: readonly AnswerEvent[]) {
  const { parts, stop, usage, model } = collectAnswer(events);
  const joined = (type: string) =>
    parts.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('');
  const calls = parts.flatMap((part) =>
    part.type === 'tool-call' ? [[part.id, part.name, part.arguments]] : [],
  );
  return { stop, usage, model, text: joined('text'), thinking: joined('thinking'), calls };
}

describe('a streamed answer says what the whole one says (X-04)', () => {
  it.each(named)('%s', (_name, client, upstream) => {
    fc.assert(
      fc.property(saidBy(upstream.id), (said) => {
        const events = upstream.readAnswer(nativeAnswer(upstream.id, said).body);
        const pieces = gist(streamed(client, events));
        expect(pieces).toEqual(gist(client.readAnswer(client.writeAnswer(events, context))));
        expect([pieces.text, pieces.stop]).toEqual([gist(events).text, gist(events).stop]);
        expect(pieces.usage.output).toBe(3);
      }),
      RUNS,
    );
  });
});
