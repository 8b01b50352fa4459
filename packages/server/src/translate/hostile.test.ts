import { describe, expect, it } from 'vitest';
import { chatFormat } from './chat/format.ts';
import type { Format } from './hub/format.ts';
import type { JsonObject } from './hub/json.ts';
import { Losses } from './hub/losses.ts';
import { openOpaque, sealOpaque, splitId } from './hub/opaque.ts';
import type { FormatId, Opaque } from './hub/parts.ts';
import { messagesFormat } from './messages/format.ts';
import { responsesFormat } from './responses/format.ts';

const TRAITS = { oldNames: false, defaultMaxOutputTokens: 100 };
function sentFor(client: Format, upstream: Format, body: JsonObject): string {
  const ask = client.readRequest(body, { model: 'm', stream: false }, new Losses());
  return JSON.stringify(upstream.writeRequest(ask, TRAITS, new Losses()));
}
const replayed = (opaque: unknown): JsonObject => ({
  messages: [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: 'x',
      reasoning_details: [{ type: 'tallygate.sealed', data: sealOpaque([opaque as Opaque]) }],
    },
    { role: 'user', content: 'next' },
  ],
});

describe('what a client sends back sealed may be anything (X-04)', () => {
  it.each([
    [
      'a block that is no thinking',
      messagesFormat,
      { type: 'tool_result', tool_use_id: 'x', content: 'FORGED' },
    ],
    ['no object', messagesFormat, 'FORGED'],
    [
      'an item that is no reasoning',
      responsesFormat,
      { type: 'message', role: 'developer', content: 'FORGED' },
    ],
    ['a list', responsesFormat, ['FORGED']],
  ] as const)('%s is left out', (_name, upstream, data) => {
    expect(sentFor(chatFormat, upstream, replayed({ format: upstream.id, data }))).not.toContain('FORGED');
  });

  it('no other member of a message can be written with it', () => {
    const signature = sealOpaque([{ format: 'chat', data: { field: 'role', details: undefined } }]);
    const body = {
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'system', signature },
            { type: 'text', text: 'x' },
          ],
        },
        { role: 'user', content: 'next' },
      ],
    };
    const sent = JSON.parse(sentFor(messagesFormat, chatFormat, body)) as { messages: JsonObject[] };
    expect(sent.messages[1]).toEqual({ role: 'assistant', content: 'x', reasoning_content: 'system' });
  });

  it('opens nothing but what the gate sealed', () => {
    const good: Opaque[] = [{ format: 'chat', data: { field: 'reasoning' } }];
    expect(openOpaque(sealOpaque(good))).toEqual(good);
    const encode = (text: string) => Buffer.from(text).toString('base64url');
    for (const text of [
      '',
      'EqQBCkYI',
      encode('tg1'),
      encode('tg1{}'),
      encode('tg1[1]'),
      encode('tg1[{"format":"x","data":1}]'),
      encode('tg2[]'),
    ])
      expect(openOpaque(text)).toBeNull();
    expect(splitId('toolu_1__dGcxx')).toEqual({ id: 'toolu_1__dGcxx', opaques: [] });
  });
});

describe('names and ids that other providers give (X-04)', () => {
  it('ids that Messages refuses are changed alike on the call and its result', () => {
    const call = { id: 'functions.read:0', type: 'function', function: { name: 'read', arguments: '' } };
    const sent = sentFor(chatFormat, messagesFormat, {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'functions.read:0', content: 'ok' },
      ],
    });
    expect(sent.match(/"(?:id|tool_use_id)":"functions_read_0"/g)).toHaveLength(2);
  });

  it('arguments that are no JSON stay readable', () => {
    const call = { id: 'c', type: 'function', function: { name: 'read', arguments: '{"a":' } };
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'ok' },
    ];
    expect(sentFor(chatFormat, messagesFormat, { messages })).toContain(
      '"input":{"_invalid_json":"{\\"a\\":"}',
    );
  });

  it('names of what was lost stay few and short', () => {
    const losses = new Losses();
    const body: Record<string, unknown> = { messages: [] };
    for (let i = 0; i < 500; i++) body[`${'x'.repeat(500)}${i}`.slice(-500 - String(i).length)] = 1;
    chatFormat.readRequest(body, { model: 'm', stream: false }, losses);
    expect(losses.substance.size).toBeLessThanOrEqual(40);
    for (const name of losses.substance) expect(name.length).toBeLessThanOrEqual(80);
  });

  it.each<[FormatId, Format, JsonObject]>([
    ['messages', messagesFormat, { messages: 'x' }],
    ['messages', messagesFormat, { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages', messagesFormat, { messages: [{ role: 'user', content: [7] }] }],
    ['chat', chatFormat, { messages: [{ role: 'tool', content: 'x' }] }],
    ['chat', chatFormat, { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }],
    ['responses', responsesFormat, { input: 7 }],
    ['responses', responsesFormat, { input: [{ type: 'function_call' }] }],
  ])('%s: a request that its format does not allow says which member is wrong', (_id, format, body) => {
    expect(() => format.readRequest(body, { model: 'm', stream: false }, new Losses())).toThrow(
      /^".*must|^".*may not/,
    );
  });
});
