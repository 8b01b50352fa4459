import type { HeaderList, Responder } from './exchange.ts';
import { jsonAnswer, sseAnswer } from './exchange.ts';

export type OpenAiUsage = Record<string, unknown>;

/** 10,000 in (8,000 cached), 2,000 out (1,500 reasoning). */
export const FULL_CHAT_USAGE: OpenAiUsage = {
  prompt_tokens: 10_000,
  completion_tokens: 2000,
  total_tokens: 12_000,
  prompt_tokens_details: { cached_tokens: 8000, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 1500,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};
/** The same figures in the shape of the Responses API. */
export const FULL_RESPONSES_USAGE: OpenAiUsage = {
  input_tokens: 10_000,
  input_tokens_details: { cached_tokens: 8000 },
  output_tokens: 2000,
  output_tokens_details: { reasoning_tokens: 1500 },
  total_tokens: 12_000,
};

export const OPENAI_HEADERS: HeaderList = [
  ['x-request-id', 'req_openai_upstream'],
  ['openai-organization', 'org-upstream'],
  ['openai-processing-ms', '321'],
  ['x-ratelimit-limit-requests', '10000'],
  ['x-ratelimit-remaining-requests', '9999'],
  ['x-ratelimit-reset-requests', '6ms'],
];

export interface OpenAiScript {
  model?: string;
  text?: string;
  toolCall?: { name: string; arguments: string };
  /** A reasoning item before the answer; Responses only. */
  reasoning?: { summary: string; encrypted: string };
  usage?: OpenAiUsage;
}

const DEFAULT_MODEL = 'gpt-5';
const DEFAULT_TEXT = 'Grüße, 世界! 🚀 from the fake';
const CREATED = 1_763_800_000;

function toolCalls(script: OpenAiScript): Record<string, unknown>[] | undefined {
  if (!script.toolCall) return undefined;
  return [{ id: 'call_test', type: 'function', function: script.toolCall }];
}

export function chatCompletion(script: OpenAiScript = {}): Record<string, unknown> {
  const calls = toolCalls(script);
  return {
    id: 'chatcmpl-test',
    object: 'chat.completion',
    created: CREATED,
    model: script.model ?? DEFAULT_MODEL,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: calls ? null : (script.text ?? DEFAULT_TEXT),
          refusal: null,
          ...(calls ? { tool_calls: calls } : {}),
        },
        logprobs: null,
        finish_reason: calls ? 'tool_calls' : 'stop',
      },
    ],
    usage: script.usage ?? FULL_CHAT_USAGE,
    service_tier: 'default',
  };
}

const dataEvent = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
export const CHAT_DONE = 'data: [DONE]\n\n';

/**
 * A streamed completion. With `includeUsage` every chunk has `usage: null` and one extra chunk with empty
 * `choices` carries the figures, as the API does only when it was asked to.
 */
export function chatEvents(script: OpenAiScript = {}, includeUsage = true): string[] {
  const chunk = (choices: unknown[], usage: unknown = null): string =>
    dataEvent({
      id: 'chatcmpl-test',
      object: 'chat.completion.chunk',
      created: CREATED,
      model: script.model ?? DEFAULT_MODEL,
      service_tier: 'default',
      choices,
      ...(includeUsage ? { usage } : {}),
    });
  const choice = (delta: Record<string, unknown>, finish: string | null = null): unknown[] => [
    { index: 0, delta, logprobs: null, finish_reason: finish },
  ];
  const events = [chunk(choice({ role: 'assistant', content: script.toolCall ? null : '' }))];
  if (script.toolCall) {
    const { name, arguments: args } = script.toolCall;
    const call = { index: 0, id: 'call_test', type: 'function', function: { name, arguments: '' } };
    events.push(chunk(choice({ tool_calls: [call] })));
    events.push(chunk(choice({ tool_calls: [{ index: 0, function: { arguments: args } }] })));
  } else {
    const words = (script.text ?? DEFAULT_TEXT).match(/\S+\s*/g) ?? [];
    for (const content of words) events.push(chunk(choice({ content })));
  }
  events.push(chunk(choice({}, script.toolCall ? 'tool_calls' : 'stop')));
  if (includeUsage) events.push(chunk([], script.usage ?? FULL_CHAT_USAGE));
  events.push(CHAT_DONE);
  return events;
}

function outputItems(script: OpenAiScript): Record<string, unknown>[] {
  const { reasoning, toolCall } = script;
  const summary = [{ type: 'summary_text', text: reasoning?.summary }];
  const thought = { type: 'reasoning', id: 'rs_test', summary, encrypted_content: reasoning?.encrypted };
  const text = { type: 'output_text', text: script.text ?? DEFAULT_TEXT, annotations: [] };
  const message = {
    type: 'message',
    id: 'msg_test',
    status: 'completed',
    role: 'assistant',
    content: [text],
  };
  const call = {
    type: 'function_call',
    id: 'fc_test',
    call_id: 'call_test',
    status: 'completed',
    ...toolCall,
  };
  return [...(reasoning ? [thought] : []), toolCall ? call : message];
}

/** The `response` object of the Responses API. */
export function responsesBody(script: OpenAiScript = {}, status = 'completed'): Record<string, unknown> {
  const done = status !== 'in_progress';
  return {
    id: 'resp_test',
    object: 'response',
    created_at: CREATED,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: script.model ?? DEFAULT_MODEL,
    output: done ? outputItems(script) : [],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    service_tier: 'default',
    usage: done ? (script.usage ?? FULL_RESPONSES_USAGE) : null,
  };
}

/** The pieces in which an item comes. */
function itemEvents(item: Record<string, unknown>, output_index: number): Record<string, unknown>[] {
  const at = { item_id: item.id, output_index };
  const halves = (text: string): string[] => [text.slice(0, 4), text.slice(4)];
  const added = (change: object) => ({
    type: 'response.output_item.added',
    output_index,
    item: { ...item, ...change },
  });
  const done = { type: 'response.output_item.done', output_index, item };
  if (item.type === 'function_call') {
    const deltas = halves(String(item.arguments)).map((delta) => ({
      type: 'response.function_call_arguments.delta',
      ...at,
      delta,
    }));
    const all = { type: 'response.function_call_arguments.done', ...at, arguments: item.arguments };
    return [added({ status: 'in_progress', arguments: '' }), ...deltas, all, done];
  }
  if (item.type === 'reasoning') {
    const [{ text = '' } = {}] = item.summary as { text?: string }[];
    const deltas = halves(text).map((delta) => ({
      type: 'response.reasoning_summary_text.delta',
      ...at,
      summary_index: 0,
      delta,
    }));
    const part = { type: 'summary_text', text: '' };
    const start = { type: 'response.reasoning_summary_part.added', ...at, summary_index: 0, part };
    return [added({ summary: [], encrypted_content: 'unfinished' }), start, ...deltas, done];
  }
  const [part] = item.content as { text: string }[];
  const content = { ...at, content_index: 0 };
  const words = part?.text.match(/\S+\s*/g) ?? [];
  return [
    added({ status: 'in_progress', content: [] }),
    { type: 'response.content_part.added', ...content, part: { ...part, text: '' } },
    ...words.map((delta) => ({ type: 'response.output_text.delta', ...content, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...content, text: part?.text, logprobs: [] },
    { type: 'response.content_part.done', ...content, part },
    done,
  ];
}

export function responsesEvents(script: OpenAiScript = {}): string[] {
  const list: Record<string, unknown>[] = [
    { type: 'response.created', response: responsesBody(script, 'in_progress') },
    { type: 'response.in_progress', response: responsesBody(script, 'in_progress') },
    ...outputItems(script).flatMap(itemEvents),
    { type: 'response.completed', response: responsesBody(script) },
  ];
  return list.map((event, sequence_number) => {
    const { type, ...rest } = event;
    return `event: ${String(type)}\n${dataEvent({ type, sequence_number, ...rest })}`;
  });
}

export const EMBEDDINGS = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5, 0.125] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 1000, total_tokens: 1000 },
};

export const OPENAI_MODELS = {
  object: 'list',
  data: [
    { id: 'gpt-5', object: 'model', created: CREATED, owned_by: 'openai' },
    { id: 'text-embedding-3-small', object: 'model', created: CREATED, owned_by: 'openai' },
  ],
};

export function openAiError(message: string, type: string, code: string | null): Record<string, unknown> {
  return { error: { message, type, param: null, code } };
}

function answerFor(path: string, body: Record<string, unknown>, script: OpenAiScript): Responder {
  const headers = OPENAI_HEADERS;
  const filled = { model: body.model as string, ...script };
  if (path === '/v1/chat/completions') {
    const asked = (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true;
    return body.stream === true
      ? sseAnswer(chatEvents(filled, asked), { headers })
      : jsonAnswer(chatCompletion(filled), { headers });
  }
  if (path === '/v1/responses') {
    return body.stream === true
      ? sseAnswer(responsesEvents(filled), { headers })
      : jsonAnswer(responsesBody(filled), { headers });
  }
  if (path === '/v1/embeddings') return jsonAnswer(EMBEDDINGS, { headers });
  return jsonAnswer(openAiError(`Invalid URL (POST ${path})`, 'invalid_request_error', null), {
    status: 404,
    headers,
  });
}

/** Behaves like the API: chat completions (usage chunk only when asked), responses, embeddings, models. */
export function openAiApi(script: OpenAiScript = {}): Responder {
  return (exchange) => {
    const { request } = exchange;
    if (request.path === '/v1/models')
      return jsonAnswer(OPENAI_MODELS, { headers: OPENAI_HEADERS })(exchange);
    return answerFor(request.path, request.json() as Record<string, unknown>, script)(exchange);
  };
}
