import { TOKEN_BUCKETS, type TokenCounts } from '@tallygate/contract/usage';
import { isSameModel } from '../../accounting/model-id.ts';
import { addTokens } from './usage-fields.ts';

/** One entry of `usage.iterations`: a model call that went into the answer. */
export interface Iteration {
  /** `message`, `fallback_message`, `compaction`, `advisor_message`, or a type we do not know yet. */
  type: string;
  /** Null on entries that do not say; they are calls of the answer's own model. */
  model: string | null;
  tokens: TokenCounts;
}

export interface Attribution {
  /** The model that the tokens are of. */
  model: string | null;
  /** What the answer's own model used, omitted calls included. */
  tokens: TokenCounts;
  /** Its calls, when they add up to `tokens`. */
  calls: TokenCounts[] | null;
  /** What other models used, one entry a model. */
  others: { model: string; tokens: TokenCounts; calls?: TokenCounts[] }[];
}

function sum(list: readonly Iteration[]): TokenCounts | null {
  let total: TokenCounts | null = null;
  for (const { tokens } of list) total = total === null ? tokens : addTokens(total, tokens);
  return total;
}

/** Equal in what is billed: unknown counts as nothing, and thinking is not told apart from output. */
function sameBill(a: TokenCounts, b: TokenCounts | null): boolean {
  if (b === null) return false;
  const output = (tokens: TokenCounts) => (tokens.outputVisible ?? 0) + (tokens.outputReasoning ?? 0);
  return (
    output(a) === output(b) &&
    TOKEN_BUCKETS.every((bucket) => bucket.startsWith('output') || (a[bucket] ?? 0) === (b[bucket] ?? 0))
  );
}

function byModel(iterations: readonly Iteration[]): Attribution['others'] {
  const groups = new Map<string, Iteration[]>();
  for (const iteration of iterations) {
    if (iteration.model === null) continue;
    groups.set(iteration.model, [...(groups.get(iteration.model) ?? []), iteration]);
  }
  const others: Attribution['others'] = [];
  for (const [model, group] of groups) {
    const tokens = sum(group);
    if (!tokens) continue;
    others.push(
      group.length > 1 ? { model, tokens, calls: group.map((one) => one.tokens) } : { model, tokens },
    );
  }
  return others;
}

const isAside = (one: Iteration) => one.type === 'compaction' || one.type === 'advisor_message';

/** The model whose answer this is: the one named, or else that of the last message in the list. */
function ownModel(top: TokenCounts, iterations: readonly Iteration[], model: string | null): string | null {
  const messages = iterations.filter((one) => !isAside(one));
  const last = messages.at(-1)?.model ?? null;
  if (model === null || last === null) return model ?? last;
  // The answer names the model that was asked for, but every message in it is another's, a fallback's.
  const isForeign = messages.every((one) => one.model !== null && !isSameModel(one.model, model));
  return isForeign && sameBill(top, sum(messages)) ? last : model;
}

/**
 * Says which tokens belong to the answer's own model and which to others. The documentation states that the top
 * level leaves out compaction and advisor calls; of a fallback chain it does not say whether the declined
 * attempts are in it. So the arithmetic decides: whichever set of entries the top level equals is what it
 * contains, and only the rest is added. When it equals none, the top level stands for the answer's own messages.
 */
export function attributeIterations(
  top: TokenCounts,
  iterations: readonly Iteration[],
  named: string | null,
): Attribution {
  if (iterations.length === 0) return { model: named, tokens: top, calls: null, others: [] };
  const model = ownModel(top, iterations, named);
  const isOwn = (one: Iteration) => one.model === null || model === null || isSameModel(one.model, model);
  const mine = iterations.filter(isOwn);
  const foreign = iterations.filter((one) => !isOwn(one));
  const messages = mine.filter((one) => !isAside(one));
  const asides = sum(mine.filter(isAside));
  const others = byModel(foreign);
  const calls = mine.length > 1 ? mine.map((one) => one.tokens) : null;
  if (messages.length > 0) {
    if (sameBill(top, sum(messages))) {
      return { model, tokens: asides ? addTokens(top, asides) : top, calls, others };
    }
    const everything = sum(mine);
    if (sameBill(top, everything)) return { model, tokens: top, calls, others };
    const spans = [iterations, foreign, [...messages, ...foreign], iterations.filter((one) => !isAside(one))];
    if (everything && spans.some((span) => sameBill(top, sum(span)))) {
      return { model, tokens: everything, calls, others };
    }
  }
  return { model, tokens: asides ? addTokens(top, asides) : top, calls: null, others };
}
