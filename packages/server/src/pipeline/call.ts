import type { IncomingHttpHeaders } from 'node:http';
import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import type { Attempt, UsageEvent } from '../accounting/usage-event.ts';
import type { RateLease } from '../limits/rate-state.ts';
import type { PoolAccount } from '../pool/pool.ts';
import type {
  ApiFlavor,
  Dialect,
  ProviderRoute,
  RequestFacts,
  RuleView,
  UsageMeter,
} from '../providers/provider.ts';
import type { BodyPlace } from './body-room.ts';
import type { CallBound } from './call-bound.ts';
import type { LocalAnswer } from './local/local-answer.ts';
import { changesText, poolOf, type Routing } from './routing.ts';
import type { GateSnapshot, KeyEntry } from './snapshot.ts';
import type { InputCount } from './stages/recount.ts';
import type { CallHold } from './stages/reserve.ts';
import type { Translation } from './translation/translation.ts';

/** A row of the route table that leads upstream. */
export interface DataRoute extends ProviderRoute {
  /** Path as the client calls it, such as `/anthropic/v1/messages`. */
  clientPath: string;
  /** What of `clientPath` is the gate's own, such as `/anthropic`. */
  prefix: string;
  dialect: Dialect;
  /** Query parameter that may carry the client's credential. */
  credentialQuery: string | null;
  /** The path names a model: what goes upstream is the path as it came. */
  templated: boolean;
  /** Reads what the gate must know of the parsed body and of the path. */
  facts(body: unknown, headers: IncomingHttpHeaders, path: string): RequestFacts;
  /** What rules see of a parsed body. */
  ruleView(body: unknown): RuleView;
  /** Bytes of text in a body, and what stands for its media: no text has more tokens than bytes. */
  inputBytes(body: unknown, bodyBytes: number): number;
}

/** A request's body as the client sent it; `body` asks for usage where the gate must. */
export interface SentBody {
  body: Buffer | null;
  parsed: unknown;
}

export const NO_BODY: SentBody = { body: null, parsed: null };

/** What of a call depends on the account it goes to. */
export interface Aim {
  account: PoolAccount;
  /** Format that the account is spoken to in. */
  flavor: ApiFlavor;
  /** Path and query for the upstream. */
  path: string;
  headers: string[];
  /** The body as it goes upstream, and parsed, while budgets may ask what it comes to; each null when there is none. */
  body: Buffer | null;
  parsed: unknown;
  /** Null when the account speaks the client's format. */
  translation: Translation | null;
  /** The answer, where the gate gives it itself. */
  local: LocalAnswer | null;
}

/** Everything decided about a request before it is dispatched. */
export interface Call extends Aim {
  id: string;
  route: DataRoute;
  key: KeyEntry;
  /** Why this account: the pool's strategy, `only`, `last-resort`, `failover`, `retry`, `renewed` or `fallback`. */
  chosenBy: string;
  /** What a rule says about it; null when none applies. */
  routing: Routing | null;
  facts: RequestFacts;
  /** Given by the client. */
  tags: readonly string[];
  snapshot: GateSnapshot;
  method: 'GET' | 'POST' | 'HEAD';
  sent: SentBody;
  /** Null for a request without a body. */
  place: BodyPlace | null;
  /** Size of the body, with what rules and the gate made of it. */
  requestBytes: number;
  /** Number of the credential that the last attempt went out with; 0 where the account has but one. */
  credentialVersion: number;
  startedAtMs: number;
  startedMonotonicMs: number;
  /** What budgets keep back for it; null when none covers it. */
  held: CallHold | null;
  /** What the provider counted for its input, where a budget made it worth asking. */
  counted: InputCount | null;
  /** The most it can come to, once a limit or a budget has asked. */
  reckoned: CallBound | null;
  /** What limits count of it; null when none covers it. */
  lease: RateLease | null;
  /** Address of the client, asked for only where a limit counts by it. */
  address(): string | null;
  /** Attempts that were given up for the one that `account` names now. */
  past: readonly Attempt[];
  /** Between two attempts: the next one has not been dispatched. */
  waiting: boolean;
}

/** What is known of a request before an account is chosen. */
export type Given = Pick<
  Call,
  | 'id'
  | 'route'
  | 'key'
  | 'routing'
  | 'facts'
  | 'tags'
  | 'snapshot'
  | 'sent'
  | 'place'
  | 'startedAtMs'
  | 'startedMonotonicMs'
>;

const NO_ATTEMPTS: Call['past'] = [];

/** A request on its way to its first account. Every field by name: copying objects whole takes ten times as long. */
export function newCall(
  given: Given,
  aim: Aim,
  { chosenBy, address }: Pick<Call, 'chosenBy' | 'address'>,
): Call {
  return {
    id: given.id,
    route: given.route,
    key: given.key,
    routing: given.routing,
    facts: given.facts,
    tags: given.tags,
    snapshot: given.snapshot,
    sent: given.sent,
    place: given.place,
    requestBytes: given.sent.body?.length ?? 0,
    startedAtMs: given.startedAtMs,
    startedMonotonicMs: given.startedMonotonicMs,
    method: given.route.method,
    account: aim.account,
    flavor: aim.flavor,
    path: aim.path,
    headers: aim.headers,
    body: aim.body,
    parsed: aim.parsed,
    translation: aim.translation,
    local: aim.local,
    chosenBy,
    address,
    credentialVersion: 0,
    held: null,
    counted: null,
    reckoned: null,
    lease: null,
    past: NO_ATTEMPTS,
    waiting: true,
  };
}

/**
 * Lets go of what another attempt would be made of, once there can be none. Prompts are large, and an answer may take
 * minutes: in memory is then what the answer needs.
 * @param written false while an upstream that answers early has not taken all of it: that counts until the answer ends
 */
export function forgetRequest(call: Call, written: boolean): void {
  call.sent = NO_BODY;
  call.headers = [];
  call.body = null;
  call.parsed = null;
  call.reckoned = null;
  if (written) call.place?.give();
}

/** A meter for the next answer to the call; null where nothing is metered. */
export function meterFor({ route, account, flavor }: Call): UsageMeter | null {
  if (!route.metered) return null;
  return account.adapter.createMeter(flavor, { priceProvider: account.priceProvider });
}

/** True when the answer is read to its end although the client has left: for its usage. */
export function isFollowed({ key, route, waiting }: Call, httpStatus: number | null): boolean {
  return key.disconnectPolicy === 'drain' && route.metered && !waiting && (httpStatus ?? 200) < 400;
}

/** The model that the client asked for, whatever a rule made of it. */
export function requestedModel({ routing, facts }: Pick<Call, 'routing' | 'facts'>): string | null {
  return routing === null ? facts.model : routing.requestedModel;
}

const NO_TOKENS = Object.freeze(unknownTokens());
const NO_UNITS = Object.freeze(unknownUnits());

/** The row as it stands before dispatch: what the journal holds should the process die. */
export function openEvent(call: Call): UsageEvent {
  return {
    id: call.id,
    parentId: null,
    workspaceId: call.key.workspaceId,
    projectId: call.key.projectId,
    apiKeyId: call.key.id,
    userId: call.key.userId,
    source: 'gateway',
    provider: call.account.adapter.id,
    accountId: call.account.id,
    apiFlavor: call.route.flavor,
    modelRequested: requestedModel(call),
    modelServed: null,
    startedAtMs: call.startedAtMs,
    firstByteAtMs: null,
    endedAtMs: null,
    latencyMs: null,
    ttftMs: null,
    stream: call.facts.stream,
    status: 'interrupted',
    httpStatus: null,
    errorCode: null,
    tokens: NO_TOKENS,
    units: NO_UNITS,
    weightedTokens: null,
    serviceTier: null,
    speed: null,
    geo: null,
    batch: false,
    costNanoUsd: null,
    priceCard: null,
    priceStatus: 'no_usage',
    settleStatus: 'interrupted',
    providerCostUsd: null,
    upstreamRequestId: null,
    sessionId: call.facts.sessionId,
    conversationId: null,
    tags: [...call.tags],
    requestBytes: call.requestBytes,
    responseBytes: null,
    rawUsage: null,
    poolId: poolOf(call)?.id ?? null,
    ruleId: call.routing?.ruleId ?? null,
    ruleChanges: call.routing === null ? null : changesText(call.routing),
    cacheLostTokens: null,
    cacheLossNanoUsd: null,
    attempts: [],
  };
}
