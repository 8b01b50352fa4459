import type { HeaderList, Responder } from './exchange.ts';
import { jsonAnswer, sseAnswer } from './exchange.ts';

/** Usage as the Messages API reports it; every field optional because upstreams differ. */
export type AnthropicUsage = Record<string, unknown>;

/** A usage with every bucket the API can report, disjoint sums: 100 + 2,000 (5m) + 3,000 (1h) + 20,000 in, 500 out, 2 searches. */
export const FULL_ANTHROPIC_USAGE: AnthropicUsage = {
  input_tokens: 100,
  cache_creation_input_tokens: 5000,
  cache_read_input_tokens: 20_000,
  cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 3000 },
  output_tokens: 500,
  server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
  service_tier: 'standard',
};

/** Headers of the real API that a gateway has to hand on. */
export const ANTHROPIC_HEADERS: HeaderList = [
  ['request-id', 'req_011CTestUpstream'],
  ['anthropic-organization-id', 'org-upstream-0001'],
  ['anthropic-ratelimit-requests-limit', '4000'],
  ['anthropic-ratelimit-requests-remaining', '3999'],
  ['anthropic-ratelimit-requests-reset', '2026-11-22T10:00:00Z'],
  ['anthropic-ratelimit-tokens-limit', '400000'],
  ['anthropic-ratelimit-tokens-remaining', '399000'],
  ['anthropic-ratelimit-unified-status', 'allowed'],
  ['anthropic-ratelimit-unified-5h-utilization', '0.42'],
];

export interface AnthropicScript {
  model?: string;
  id?: string;
  text?: string;
  thinking?: string;
  toolUse?: { name: string; input: Record<string, unknown> };
  usage?: AnthropicUsage;
  stopReason?: string;
}

const DEFAULT_MODEL = 'claude-sonnet-4-5';
/** Two-, three- and four-byte characters, so that cuts inside characters mean something. */
export const MULTIBYTE_TEXT = 'Grüße, 世界! 🚀 naïve café';

function contentBlocks(script: AnthropicScript): Record<string, unknown>[] {
  const blocks: Record<string, unknown>[] = [];
  if (script.thinking)
    blocks.push({ type: 'thinking', thinking: script.thinking, signature: 'c2lnbmF0dXJl' });
  blocks.push({ type: 'text', text: script.text ?? MULTIBYTE_TEXT });
  if (script.toolUse) blocks.push({ type: 'tool_use', id: 'toolu_01Test', ...script.toolUse });
  return blocks;
}

/** The body of a non-streaming answer. */
export function anthropicMessage(script: AnthropicScript = {}): Record<string, unknown> {
  return {
    id: script.id ?? 'msg_01Test',
    type: 'message',
    role: 'assistant',
    model: script.model ?? DEFAULT_MODEL,
    content: contentBlocks(script),
    stop_reason: script.stopReason ?? (script.toolUse ? 'tool_use' : 'end_turn'),
    stop_sequence: null,
    usage: script.usage ?? FULL_ANTHROPIC_USAGE,
  };
}

/** One event as it stands in the stream. */
export function anthropicEvent(data: Record<string, unknown>): string {
  return `event: ${String(data.type)}\ndata: ${JSON.stringify(data)}\n\n`;
}

function blockDeltas(block: Record<string, unknown>): Record<string, unknown>[] {
  if (block.type === 'thinking') {
    return [
      { type: 'thinking_delta', thinking: block.thinking },
      { type: 'signature_delta', signature: block.signature },
    ];
  }
  if (block.type === 'tool_use') {
    const json = JSON.stringify(block.input);
    const half = Math.ceil(json.length / 2);
    return ['', json.slice(0, half), json.slice(half)].map((partial_json) => ({
      type: 'input_json_delta',
      partial_json,
    }));
  }
  const words = String(block.text).match(/\S+\s*/g) ?? [];
  return words.map((text) => ({ type: 'text_delta', text }));
}

function blockStart(block: Record<string, unknown>): Record<string, unknown> {
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
  if (block.type === 'tool_use') return { ...block, input: {} };
  return { type: 'text', text: '' };
}

/**
 * The same message as a stream. As the API does, `message_start` carries the input side and a placeholder of
 * output tokens, `message_delta` the cumulative final figures.
 */
export function anthropicEvents(script: AnthropicScript = {}): string[] {
  const message = anthropicMessage(script);
  const usage = message.usage as AnthropicUsage;
  const { output_tokens, server_tool_use, iterations, ...inputSide } = usage;
  const events = [
    anthropicEvent({
      type: 'message_start',
      message: {
        ...message,
        content: [],
        stop_reason: null,
        usage: { ...inputSide, output_tokens: 1 },
      },
    }),
    anthropicEvent({ type: 'ping' }),
  ];
  contentBlocks(script).forEach((block, index) => {
    events.push(anthropicEvent({ type: 'content_block_start', index, content_block: blockStart(block) }));
    for (const delta of blockDeltas(block)) {
      events.push(anthropicEvent({ type: 'content_block_delta', index, delta }));
    }
    events.push(anthropicEvent({ type: 'content_block_stop', index }));
  });
  const finalUsage: AnthropicUsage = { output_tokens };
  if (server_tool_use !== undefined) finalUsage.server_tool_use = server_tool_use;
  if (iterations !== undefined) finalUsage.iterations = iterations;
  events.push(
    anthropicEvent({
      type: 'message_delta',
      delta: { stop_reason: message.stop_reason, stop_sequence: null },
      usage: finalUsage,
    }),
    anthropicEvent({ type: 'message_stop' }),
  );
  return events;
}

/** An error body of this API. */
export function anthropicError(type: string, message: string): Record<string, unknown> {
  return { type: 'error', error: { type, message }, request_id: 'req_011CTestUpstream' };
}

/** An error after HTTP 200, inside the stream. */
export const OVERLOADED_EVENT = anthropicEvent({
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
});

export const ANTHROPIC_MODELS = {
  data: [
    {
      type: 'model',
      id: 'claude-sonnet-4-5',
      display_name: 'Claude Sonnet 4.5',
      created_at: '2025-09-29T00:00:00Z',
    },
    {
      type: 'model',
      id: 'claude-haiku-4-5',
      display_name: 'Claude Haiku 4.5',
      created_at: '2025-10-01T00:00:00Z',
    },
  ],
  has_more: false,
  first_id: 'claude-sonnet-4-5',
  last_id: 'claude-haiku-4-5',
};

/** Behaves like the API: messages (streaming when asked), count_tokens, models; 404 for the rest. */
export function anthropicApi(script: AnthropicScript = {}): Responder {
  return (exchange) => {
    const { request } = exchange;
    const headers = ANTHROPIC_HEADERS;
    if (request.path === '/v1/models') return jsonAnswer(ANTHROPIC_MODELS, { headers })(exchange);
    if (request.path === '/v1/messages/count_tokens') {
      return jsonAnswer({ input_tokens: 2095 }, { headers })(exchange);
    }
    if (request.path !== '/v1/messages') {
      return jsonAnswer(anthropicError('not_found_error', 'Not found'), { status: 404, headers })(exchange);
    }
    const body = request.json() as { stream?: boolean; model: string };
    const filled = { model: body.model, ...script };
    return body.stream
      ? sseAnswer(anthropicEvents(filled), { headers })(exchange)
      : jsonAnswer(anthropicMessage(filled), { headers })(exchange);
  };
}
