import type { IncomingMessage } from 'node:http';
import { modelOutputTokens } from '../../accounting/output-limits.ts';
import { AppError } from '../../kernel/errors.ts';
import type { PoolAccount } from '../../pool/pool.ts';
import { isObject, type JsonObject } from '../../providers/shared/usage-fields.ts';
import type { Ask } from '../../translate/hub/ask.ts';
import type { JsonDraft } from '../../translate/hub/json.ts';
import { Losses } from '../../translate/hub/losses.ts';
import { UnreadableRequest } from '../../translate/hub/unreadable-request.ts';
import type { Aim, Call } from '../call.ts';
import { splitTarget } from '../request-target.ts';
import { inputSize } from './input-size.ts';
import type { TokenRatio } from './token-ratio.ts';
import type { Route, Translators } from './translators.ts';

export interface TranslateDeps {
  translators: Translators;
  /** What is done about substance that the other format cannot carry. */
  losses: 'refuse' | 'drop';
  ratio: TokenRatio;
}

/** What of a call is known before its account is. */
export type AimedCall = Pick<Call, 'id' | 'route' | 'facts' | 'sent' | 'startedAtMs' | 'routing'>;
/** @throws AppError `not_translatable`, `invalid_request`, `no_account` */
export type Translate = (request: IncomingMessage, call: AimedCall, account: PoolAccount) => Aim;

/** Headers of the client's that mean the same to every upstream. */
const FORWARDED = ['user-agent', 'traceparent', 'tracestate'] as const;
/** Headers that ask for features of the client's own format. */
const FEATURES = ['anthropic-beta', 'openai-beta'] as const;
/** A generous answer that every current model can give, where the format wants a limit and the client named none. */
const DEFAULT_OUTPUT_TOKENS = 32_000;

/** The client's body; one that the gate asked for usage in is read without what it added. */
export function clientBody({ sent, facts }: Pick<Call, 'sent' | 'facts'>): JsonObject {
  const parsed: unknown = sent.parsed ?? JSON.parse(sent.body?.toString('utf8') ?? '{}');
  if (!isObject(parsed)) throw new AppError('invalid_request');
  return facts.injectIncludeUsage ? { ...parsed, stream_options: null } : parsed;
}

function readAsk(route: Route, body: JsonObject, { facts }: AimedCall, losses: Losses): Ask {
  try {
    return route.client.readRequest(body, { model: facts.model ?? '', stream: facts.stream }, losses);
  } catch (error) {
    if (!(error instanceof UnreadableRequest)) throw error;
    throw new AppError('invalid_request', { detail: error.message });
  }
}

function refuseLosses(losses: Losses, account: PoolAccount): void {
  const names = [...losses.substance].slice(0, 20).join(', ');
  throw new AppError('not_translatable', {
    detail: `The account that serves this model speaks another API, which has no place for: ${names}. Leave it out, or let the operator set TRANSLATE_LOSSES=drop. (account "${account.name}")`,
  });
}

function upstreamHeaders(request: IncomingMessage, account: PoolAccount): string[] {
  const headers = ['content-type', 'application/json', 'accept', '*/*', 'accept-encoding', 'identity'];
  for (const name of FORWARDED) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.push(name, value);
  }
  headers.push(...account.adapter.testHeaders, ...account.credentialHeaders);
  return headers;
}

/** A request that breaks a translator is refused like one that cannot be read: it may not end anything but itself. */
function explained(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof RangeError) {
    // The stack ends before the nesting does; whoever wants to be understood needs a fraction of that.
    return new AppError('invalid_request', {
      detail: 'The request body is nested too deeply.',
      cause: error,
    });
  }
  return new AppError('internal_error', { cause: error });
}

/** Builds the step that turns a request into one that the account's own format has. */
export function createTranslate(deps: TranslateDeps): Translate {
  return (request, call, account) => {
    try {
      return translated(deps, { request, call, account });
    } catch (error) {
      throw explained(error);
    }
  };
}

function translated(
  { translators, losses: policy, ratio }: TranslateDeps,
  { request, call, account }: { request: IncomingMessage; call: AimedCall; account: PoolAccount },
): Aim {
  const route = translators.find(call.route.flavor, account);
  if (route === null) throw new AppError('no_account');
  const losses = new Losses();
  for (const name of FEATURES) if (request.headers[name] !== undefined) losses.hint(name);
  const body = clientBody(call);
  const ask = readAsk(route, body, call, losses);
  const modelLimit = modelOutputTokens(account.priceProvider, ask.model);
  const traits = {
    oldNames: account.adapter.oldNames,
    defaultMaxOutputTokens: Math.min(DEFAULT_OUTPUT_TOKENS, modelLimit),
  };
  const written: JsonDraft = route.upstream.writeRequest(ask, traits, losses);
  if (policy === 'refuse' && losses.substance.size > 0) refuseLosses(losses, account);
  const { query } = splitTarget(request.url ?? '');
  const size = inputSize(ask);
  return {
    account,
    flavor: route.flavor,
    path: `${account.basePath}${route.upstream.pathOf(ask)}`,
    headers: upstreamHeaders(request, account),
    body: Buffer.from(JSON.stringify(written)),
    parsed: written,
    local: null,
    translation: {
      client: route.client,
      upstream: route.upstream,
      stream: ask.stream,
      dropped: [...losses.hints, ...losses.substance],
      size,
      context: {
        requestId: call.id,
        model: ask.model,
        startedAtSeconds: Math.floor(call.startedAtMs / 1000),
        estimatedInputTokens: ratio.estimate(ask.model, size),
        request: body,
        events: route.client.id !== 'generate' || /[?&]alt=sse(?:&|$)/.test(query),
      },
    },
  };
}
