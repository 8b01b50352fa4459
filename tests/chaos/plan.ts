import type { RequestStatus, SettleStatus, TokenCounts } from '@tallygate/contract/usage';
import type { Dice } from './dice.ts';

export type Api = 'messages' | 'chat' | 'responses';

/** What the upstream does with a request. */
export type Behaviour =
  | 'whole'
  /** JSON without a content-length. */
  | 'unsized'
  | 'gzip'
  /** Silent for a while, then whole. */
  | 'slow'
  /** A stream with pauses. */
  | 'paced'
  /** A stream cut into seven-byte pieces. */
  | 'crumbs'
  /** A message that reports a call of another model. */
  | 'sub-call'
  /** An HTTP error. */
  | 'refused'
  /** An error event inside a stream. */
  | 'stream-error'
  /** Reset in the middle of the answer. */
  | 'cut'
  /** Reset before the answer begins. */
  | 'dropped'
  /** Never answers. */
  | 'silent';

/** One request: what its client sends, and what its upstream does with it. */
export interface Plan {
  /** Unique; the ledger keeps it as `sessionId`, from the opened entry on. */
  session: string;
  /** Unique; the ledger keeps it once the upstream has answered. */
  upstreamRequestId: string;
  api: Api;
  stream: boolean;
  behaviour: Behaviour;
  /** Of the upstream's answer. */
  httpStatus: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  /** Before the answer when it is slow, between the pieces when it is paced. */
  pauseMs: number;
  /** The client gives up after this long; null when it stays to the end. */
  leavesAfterMs: number | null;
  /** Sent with the key of a project that reads answers to their end when the client has left. */
  drains: boolean;
}

/** Sub-calls report these on top of the answer's own tokens. */
export const SUB_CALL = { model: 'claude-haiku-4-5', inputTokens: 40, outputTokens: 7 } as const;
export const MODEL_OF: Record<Api, string> = {
  messages: 'claude-sonnet-4-5',
  chat: 'gpt-5',
  responses: 'gpt-5',
};

const JSON_BEHAVIOURS = ['whole', 'whole', 'whole', 'unsized', 'gzip', 'slow', 'slow'] as const;
const STREAM_BEHAVIOURS = ['whole', 'whole', 'paced', 'paced', 'paced', 'crumbs'] as const;
const FAILURES = ['refused', 'dropped', 'cut', 'cut', 'silent'] as const;

function drawBehaviour(dice: Dice, api: Api, stream: boolean): Behaviour {
  if (dice.chance(0.2)) {
    const failure = dice.pick(FAILURES);
    if (failure === 'cut' && api === 'messages' && stream && dice.chance(0.5)) return 'stream-error';
    return failure;
  }
  if (stream) return dice.pick(STREAM_BEHAVIOURS);
  return api === 'messages' && dice.chance(0.2) ? 'sub-call' : dice.pick(JSON_BEHAVIOURS);
}

/** A request at random; two of five stream. */
export function drawPlan(dice: Dice, session: string): Plan {
  const api = dice.pick<Api>(['messages', 'messages', 'chat', 'responses']);
  const stream = dice.chance(0.4);
  const behaviour = drawBehaviour(dice, api, stream);
  const leaves = behaviour === 'silent' || dice.chance(0.06);
  return {
    session,
    upstreamRequestId: `req_${session}`,
    api,
    stream,
    behaviour,
    httpStatus: behaviour === 'refused' ? dice.pick([400, 404, 429, 500, 529]) : 200,
    inputTokens: dice.between(1, 60_000),
    cachedTokens: dice.between(0, 40_000),
    outputTokens: dice.between(1, 4000),
    pauseMs: behaviour === 'slow' ? dice.between(20, 400) : dice.between(1, 40),
    leavesAfterMs: leaves ? dice.between(5, 300) : null,
    drains: dice.chance(0.3),
  };
}

/** The row that stands for an answer delivered as planned, or as far as its upstream went. */
export interface ExpectedRow {
  status: RequestStatus;
  settleStatus: SettleStatus;
  httpStatus: number | null;
  upstreamRequestId: string | null;
  /** Null where the upstream did not get to report the final ones. */
  tokens: Partial<TokenCounts> | null;
  costNanoUsd: bigint | null;
  subCall: { tokens: Partial<TokenCounts>; costNanoUsd: bigint } | null;
}

/** List prices in nano-USD per token, typed in here by hand: the test has an opinion of its own on what things cost. */
const RATES = {
  'claude-sonnet-4-5': { input: 3000n, cached: 300n, output: 15_000n },
  'gpt-5': { input: 1250n, cached: 125n, output: 10_000n },
  'claude-haiku-4-5': { input: 1000n, cached: 100n, output: 5000n },
} as const;

function costOf(model: string, counts: { input: number; cached: number; output: number }): bigint {
  const rates = RATES[model as keyof typeof RATES];
  return (
    rates.input * BigInt(counts.input) +
    rates.cached * BigInt(counts.cached) +
    rates.output * BigInt(counts.output)
  );
}

const tokensOf = (input: number, cached: number, output: number): Partial<TokenCounts> => ({
  inputUncached: input,
  cacheRead: cached,
  outputVisible: output,
});

function deliveredRow(plan: Plan): ExpectedRow {
  const { inputTokens, cachedTokens, outputTokens, upstreamRequestId } = plan;
  const counts = { input: inputTokens, cached: cachedTokens, output: outputTokens };
  const { model, inputTokens: subInput, outputTokens: subOutput } = SUB_CALL;
  return {
    status: 'ok',
    settleStatus: 'final',
    httpStatus: 200,
    upstreamRequestId,
    tokens: tokensOf(inputTokens, cachedTokens, outputTokens),
    costNanoUsd: costOf(MODEL_OF[plan.api], counts),
    subCall:
      plan.behaviour === 'sub-call'
        ? {
            tokens: tokensOf(subInput, 0, subOutput),
            costNanoUsd: costOf(model, { input: subInput, cached: 0, output: subOutput }),
          }
        : null,
  };
}

/** What the ledger has to say of a request that went as planned. */
export function expectedRow(plan: Plan): ExpectedRow {
  const delivered = deliveredRow(plan);
  const unpaid = { tokens: null, costNanoUsd: null, subCall: null };
  switch (plan.behaviour) {
    case 'refused': {
      const status = plan.httpStatus >= 500 ? 'upstream_error' : 'client_error';
      return { ...delivered, ...unpaid, status, httpStatus: plan.httpStatus };
    }
    case 'stream-error':
    case 'cut':
      return { ...delivered, ...unpaid, status: 'upstream_error', settleStatus: 'estimated' };
    case 'dropped':
    case 'silent': {
      const status = plan.behaviour === 'dropped' ? 'upstream_error' : 'aborted';
      return {
        ...unpaid,
        status,
        settleStatus: 'estimated',
        httpStatus: null,
        upstreamRequestId: null,
      };
    }
    default:
      return delivered;
  }
}
