import type { ServerResponse } from 'node:http';
import type { UpstreamHandler } from '../egress/http1/upstream-handler.ts';
import type { AppError } from '../kernel/errors.ts';
import type { Listed } from '../kernel/live-list.ts';
import type { UsageMeter } from '../providers/provider.ts';
import type { Call } from './call.ts';
import type { ExchangeFacts } from './exchange-facts.ts';
import type { Outcome } from './outcome.ts';

/** An exchange, as those see it who send it and keep it. */
export interface SentExchange extends UpstreamHandler, Listed {
  readonly call: Call;
  /** The upstream failed, or could not be reached at all. */
  failed(error: unknown): void;
  /** Ends an exchange that outlived the server's grace period. */
  interrupt(): void;
  /** Ends an exchange that may not go on. */
  refuse(error: AppError, outcome: Outcome): void;
}

/** What an exchange needs of the rest. */
export interface ExchangeDeps {
  now(): number;
  /** Dispatches the call to the account it names now. */
  send(exchange: SentExchange): void;
  /** Journals the outcome; `onSafe(null)` once it cannot be lost. Called at most once. */
  settle(
    call: Call,
    facts: ExchangeFacts,
    result: { outcome: Outcome; meter: UsageMeter | null },
    onSafe: (error: Error | null) => void,
  ): void;
  /** Adds to the head of an answer how the budgets and limits of the call stand. */
  tellLimits(list: string[], call: Call): void;
  /** Answers an error in the client's dialect; only before anything was sent. */
  replyError(response: ServerResponse, call: Call, error: AppError): void;
  /** Called once when nothing of the exchange is left. */
  onClosed(exchange: SentExchange): void;
  drain: { maxMs: number; maxBytes: number };
  /** How long a client may take nothing of an answer that waits for it. */
  clientStallMs: number;
}
