import {
  anthropicError,
  anthropicEvents,
  anthropicMessage,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { CUTS } from '@tallygate/testkit/fake-upstream/chunking';
import {
  type HeaderList,
  jsonAnswer,
  type Responder,
  sseAnswer,
  sseThen,
  stall,
} from '@tallygate/testkit/fake-upstream/exchange';
import {
  chatCompletion,
  chatEvents,
  openAiError,
  responsesBody,
  responsesEvents,
} from '@tallygate/testkit/fake-upstream/openai';
import type { RecordedRequest } from '@tallygate/testkit/fake-upstream/recorded-request';
import { type Api, MODEL_OF, type Plan, SUB_CALL } from './plan.ts';

/** Header by which each API's clients name their session. */
export const SESSION_HEADER: Record<Api, string> = {
  messages: 'x-claude-code-session-id',
  chat: 'session-id',
  responses: 'session-id',
};

/** The session a request came with, as far as its head has arrived. */
export function sessionOf(request: RecordedRequest): string {
  return request.value(SESSION_HEADER.messages) ?? request.value(SESSION_HEADER.chat) ?? '';
}

function messagesUsage(plan: Plan): Record<string, unknown> {
  const { inputTokens, cachedTokens, outputTokens } = plan;
  const usage = {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
    service_tier: 'standard',
  };
  if (plan.behaviour !== 'sub-call') return usage;
  const own = {
    input_tokens: inputTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
  };
  return {
    ...usage,
    iterations: [
      {
        type: 'advisor_message',
        model: SUB_CALL.model,
        input_tokens: SUB_CALL.inputTokens,
        cache_read_input_tokens: 0,
        output_tokens: SUB_CALL.outputTokens,
      },
      { type: 'message', model: MODEL_OF.messages, ...own },
    ],
  };
}

/** The OpenAI APIs count the cached tokens into the prompt. */
function openAiUsage(plan: Plan): Record<string, unknown> {
  const prompt = plan.inputTokens + plan.cachedTokens;
  const total = prompt + plan.outputTokens;
  if (plan.api === 'responses') {
    return {
      input_tokens: prompt,
      input_tokens_details: { cached_tokens: plan.cachedTokens },
      output_tokens: plan.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: total,
    };
  }
  return {
    prompt_tokens: prompt,
    completion_tokens: plan.outputTokens,
    total_tokens: total,
    prompt_tokens_details: { cached_tokens: plan.cachedTokens },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

function jsonBody(plan: Plan): Record<string, unknown> {
  const { session: text, api } = plan;
  if (api === 'messages') return anthropicMessage({ text, usage: messagesUsage(plan) });
  const script = { text, usage: openAiUsage(plan) };
  return api === 'chat' ? chatCompletion(script) : responsesBody(script);
}

function eventsOf(plan: Plan, request: RecordedRequest): string[] {
  const text = `an answer of several words to ${plan.session}`;
  if (plan.api === 'messages') return anthropicEvents({ text, usage: messagesUsage(plan) });
  const script = { text, usage: openAiUsage(plan) };
  if (plan.api === 'responses') return responsesEvents(script);
  const { stream_options: options } = request.json() as { stream_options?: { include_usage?: boolean } };
  return chatEvents(script, options?.include_usage === true);
}

function idHeader(plan: Plan): HeaderList {
  return [[plan.api === 'messages' ? 'request-id' : 'x-request-id', plan.upstreamRequestId]];
}

const reset: Responder = (exchange) => exchange.reset();

const half = <T>(list: readonly T[]): T[] => list.slice(0, Math.ceil(list.length / 2));

function streamAnswer(plan: Plan, request: RecordedRequest): Responder {
  const headers = idHeader(plan);
  const events = eventsOf(plan, request);
  switch (plan.behaviour) {
    case 'paced':
      return sseAnswer(events, { headers, gapMs: plan.pauseMs });
    case 'crumbs':
      return sseAnswer(events, {
        headers,
        cut: CUTS['seven bytes a piece'] ?? ((all) => [Buffer.from(all.join(''))]),
      });
    case 'cut':
      return sseThen(half(events), reset, headers);
    case 'stream-error':
      return sseAnswer([...half(events), OVERLOADED_EVENT], { headers });
    default:
      return sseAnswer(events, { headers });
  }
}

function wholeAnswer(plan: Plan): Responder {
  const headers = idHeader(plan);
  const body = jsonBody(plan);
  switch (plan.behaviour) {
    case 'gzip':
      return jsonAnswer(body, { headers, encoding: 'gzip' });
    case 'slow':
      return async (exchange) => {
        await exchange.pause(plan.pauseMs);
        await jsonAnswer(body, { headers })(exchange);
      };
    case 'unsized':
      return async (exchange) => {
        const type: HeaderList = [
          ['Content-Type', 'application/json'],
          ['Transfer-Encoding', 'chunked'],
        ];
        await exchange.head(200, [...type, ...headers]);
        await exchange.chunk(JSON.stringify(body));
        await exchange.endChunks();
      };
    case 'cut':
      return async (exchange) => {
        await exchange.head(200, [
          ['Content-Type', 'application/json'],
          ['Content-Length', '4000'],
          ...headers,
        ]);
        await exchange.write(JSON.stringify(body).slice(0, 40));
        exchange.reset();
      };
    default:
      return jsonAnswer(body, { headers });
  }
}

/** Answers every request as its plan says; one without a plan gets the 500 that a test notices. */
export function scriptedUpstream(plans: ReadonlyMap<string, Plan>): Responder {
  return (exchange) => {
    const plan = plans.get(sessionOf(exchange.request));
    if (plan === undefined) return exchange.answer(500, [], 'no plan');
    if (plan.behaviour === 'dropped') return exchange.reset();
    if (plan.behaviour === 'silent') return stall(exchange);
    if (plan.behaviour === 'refused') {
      const body =
        plan.api === 'messages'
          ? anthropicError('api_error', 'scripted')
          : openAiError('scripted', 'server_error', null);
      return jsonAnswer(body, { status: plan.httpStatus, headers: idHeader(plan) })(exchange);
    }
    const responder = plan.stream ? streamAnswer(plan, exchange.request) : wholeAnswer(plan);
    return responder(exchange);
  };
}
