import { setMember } from '../kernel/json-span.ts';
import type { Secret } from '../kernel/secret.ts';
import type { NamedPool } from '../pool/pool.ts';
import type { Call, SentBody } from './call.ts';

/** One place a rule sends a request to. */
export interface RouteLink {
  /** The model to ask for; null leaves the request as it is. */
  model: string | null;
  /** Null is the pool of all accounts. */
  pool: NamedPool | null;
}

/** Headers that a rule sets and removes; names in lower case. */
export interface HeaderEdits {
  removed: ReadonlySet<string>;
  /** Flat list of name, value. */
  set: readonly string[];
}

/** A value that a rule replaced. */
export interface RuleChange {
  what: string;
  from: string | null;
  to: string | null;
}

/** What a rule says about a call; a call that no rule applies to has none. */
export interface Routing {
  ruleId: string;
  requestedModel: string | null;
  /** The first is where the rule sends the request, the others are for when nothing before has served it. */
  links: readonly [RouteLink, ...RouteLink[]];
  /** The link in force. */
  at: number;
  headers: HeaderEdits | null;
  /** The client's own upstream credential; null is the account's. */
  ownKey: Secret | null;
  changes: readonly RuleChange[];
}

type Linked = Pick<Call, 'route' | 'facts' | 'sent' | 'routing'>;

/** The pool that serves the call; null is the pool of all accounts. */
export function poolOf({ routing }: Pick<Call, 'routing'>): NamedPool | null {
  return routing === null ? null : (routing.links[routing.at]?.pool ?? null);
}

/** What of a call changes when it goes on to another link; every byte of the body but the model's name stays. */
export function onLink(call: Linked, routing: Routing, at: number): Omit<Linked, 'route'> {
  const model = routing.links[at]?.model ?? routing.requestedModel;
  const { facts, sent, route } = call;
  const next = { ...routing, at };
  if (model === null || model === facts.model) return { facts, sent, routing: next };
  return {
    facts: { ...facts, model },
    sent: route.templated ? sent : withMember(sent, 'model', model),
    routing: next,
  };
}

/** The body with one member of another value; the rest of its bytes stay. */
export function withMember({ body, parsed }: SentBody, name: string, value: unknown): SentBody {
  return {
    body: body === null ? null : setMember(body, name, JSON.stringify(value)),
    parsed: typeof parsed === 'object' && parsed !== null ? { ...parsed, [name]: value } : parsed,
  };
}

/** What the row keeps of a rule's changes. */
export function changesText({ changes, links, at }: Routing): string {
  const name = (link: RouteLink | undefined): string | null => link?.model ?? link?.pool?.name ?? null;
  const fallback = { what: 'fallback', from: name(links[0]), to: name(links[at]) };
  return JSON.stringify(at === 0 ? changes : [...changes, fallback]);
}
