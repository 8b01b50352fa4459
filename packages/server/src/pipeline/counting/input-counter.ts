import { createHash } from 'node:crypto';
import type { Egress } from '../../egress/egress.ts';
import { fetchSmall, jsonOf } from '../../egress/fetch-small.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Call } from '../call.ts';
import type { CountOutcome } from './count-metrics.ts';

/** Tokens of the input as the provider counts them; null when it cannot be told, or not in time. */
export interface InputCounter {
  count(call: Call): Promise<number | null>;
}

export interface InputCounterDeps {
  egress: Pick<Egress, 'connections'>;
  clock: Clock;
  deadlineMs: number;
  /** Called with what came of each asking. */
  told(outcome: CountOutcome): void;
}

/** Longer requests are not written out a second time while others wait. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024;
/** Refused requests come in crowds: whoever comes beyond these is refused as it was. */
const MAX_AT_ONCE = 16;
const MAX_REMEMBERED = 2_000;

interface CountCall {
  path: string;
  body: string;
  headers: readonly string[];
}

/** The answer is read as it is, so it has to come without content coding; the length is another one. */
const NOT_SENT = new Set(['accept-encoding', 'content-length', 'accept']);

function countCall(call: Call, nowMs: number): CountCall | null {
  const { account, routing } = call;
  if ((call.body?.length ?? 0) > MAX_BODY_BYTES) return null;
  const question = account.adapter.counting?.request(call.flavor, call.parsed, call.path) ?? null;
  if (question === null) return null;
  const plain = call.headers.filter((_, i) => !NOT_SENT.has((call.headers[i - (i % 2)] ?? '').toLowerCase()));
  const headers = [...plain, 'accept', 'application/json'];
  const body = JSON.stringify(question.body);
  // As for the request itself: where a rule says so the client's own key is the credential.
  const authorizer = routing === null || routing.ownKey === null ? account.authorizer : null;
  if (authorizer === null) return { path: question.path, body, headers };
  if (!authorizer.ready(nowMs)) return null;
  const outgoing = { method: 'POST', path: question.path, headers, body: Buffer.from(body) };
  return {
    path: question.path,
    body,
    headers: authorizer.authorize({ ...outgoing, origin: account.target.origin }),
  };
}

/**
 * Asks the provider what the input of a call comes to: once for each prompt, within a deadline, over guarded connections
 * and with the credential of the call's account. What is remembered is a hash and a number.
 */
export function createInputCounter(deps: InputCounterDeps): InputCounter {
  const known = new Map<string, number>();
  const running = new Map<string, Promise<number | null>>();

  async function ask(call: Call, { path, headers, body }: CountCall): Promise<number | null> {
    const { adapter, target } = call.account;
    try {
      const answer = await fetchSmall(deps.egress.connections(target), {
        ...{ path, method: 'POST', headers, body },
        ...{ deadlineMs: deps.deadlineMs, maxBytes: MAX_ANSWER_BYTES },
      });
      const tokens = answer.status === 200 ? adapter.counting?.read(jsonOf(answer)) : null;
      return tokens ?? null;
    } catch {
      return null; // the refusal stands as it would have without asking
    }
  }

  function remember(name: string, tokens: number): void {
    if (known.size >= MAX_REMEMBERED) known.delete(known.keys().next().value ?? '');
    known.set(name, tokens);
  }

  return {
    async count(call) {
      const asked = countCall(call, deps.clock.now());
      if (asked === null) return null;
      const { origin } = call.account.target;
      const name = createHash('sha256').update(`${origin}\n${asked.path}\n${asked.body}`).digest('base64url');
      const before = known.get(name) ?? running.get(name);
      if (before !== undefined) {
        deps.told('remembered');
        return before;
      }
      if (running.size >= MAX_AT_ONCE) {
        deps.told('passed_over');
        return null;
      }
      const answer = ask(call, asked).finally(() => running.delete(name));
      running.set(name, answer);
      const tokens = await answer;
      deps.told(tokens === null ? 'failed' : 'counted');
      if (tokens !== null) remember(name, tokens);
      return tokens;
    },
  };
}
