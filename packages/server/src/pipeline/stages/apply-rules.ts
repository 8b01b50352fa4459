import type { IncomingMessage } from 'node:http';
import type { RuleActions } from '@tallygate/contract/api/rules';
import { AppError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import type { NamedPool } from '../../pool/pool.ts';
import { findRule } from '../../rules/find-rule.ts';
import type { Rule, RuleSubject } from '../../rules/rule.ts';
import { mayRuleTouchHeader } from '../../rules/rule-headers.ts';
import type { Call, SentBody } from '../call.ts';
import {
  type HeaderEdits,
  onLink,
  type RouteLink,
  type Routing,
  type RuleChange,
  withMember,
} from '../routing.ts';
import type { GateSnapshot } from '../snapshot.ts';

/** Carries the client's own upstream credential, where a rule asks for it; never forwarded, stored or logged (CF-10). */
export const OWN_KEY_HEADER = 'x-tallygate-upstream-key';

const MAX_KEY_CHARS = 4096;
const BYTES_PER_TOKEN = 4;

type Known = Pick<Call, 'route' | 'key' | 'snapshot' | 'facts' | 'sent' | 'startedAtMs' | 'routing'>;

/** What rules see of a request; the body is read only when one of them asks. */
export function ruleSubject(known: Known, headers: IncomingMessage['headers']): RuleSubject {
  const { route, key, facts } = known;
  const { parsed, body } = known.sent;
  const view = route.ruleView(parsed);
  return {
    keyId: key.id,
    projectId: key.projectId,
    model: facts.model,
    atMs: known.startedAtMs,
    header(name) {
      const value = headers[name];
      if (value === undefined || !mayRuleTouchHeader(name)) return null;
      return Array.isArray(value) ? value.join(', ') : value;
    },
    user: view.user,
    system: view.system,
    estimatedTokens: () => Math.ceil(route.inputBytes(parsed, body?.length ?? 0) / BYTES_PER_TOKEN),
  };
}

function ownKeyOf(headers: IncomingMessage['headers']): Secret {
  const sent = headers[OWN_KEY_HEADER];
  if (typeof sent !== 'string' || sent === '') throw new AppError('upstream_key_required');
  if (sent.length > MAX_KEY_CHARS || !/^[\x21-\x7e]+$/.test(sent)) {
    throw new AppError('invalid_request', {
      detail: `The header ${OWN_KEY_HEADER} must be printable ASCII without spaces.`,
    });
  }
  return new Secret(sent);
}

function poolNamed(snapshot: GateSnapshot, id: string | undefined): NamedPool | null {
  if (id === undefined) return null;
  // A pool that is gone has no accounts: sending its requests anywhere else is not what the rule says.
  return snapshot.pools.get(id) ?? { id, name: id, strategy: 'priority', accountIds: new Set() };
}

function linksOf({ model, pool, fallbacks = [] }: RuleActions, snapshot: GateSnapshot): Routing['links'] {
  const first: RouteLink = { model: model ?? null, pool: poolNamed(snapshot, pool) };
  const rest = fallbacks.map(
    (link): RouteLink => ({
      model: link.model ?? first.model,
      pool: link.pool === undefined ? first.pool : poolNamed(snapshot, link.pool),
    }),
  );
  return [first, ...rest];
}

function headerEdits({ setHeaders = [], removeHeaders = [] }: RuleActions): HeaderEdits | null {
  if (setHeaders.length === 0 && removeHeaders.length === 0) return null;
  const set = setHeaders.filter(({ name }) => mayRuleTouchHeader(name));
  const names = [...removeHeaders.filter(mayRuleTouchHeader), ...set.map(({ name }) => name)];
  return { removed: new Set(names), set: set.flatMap(({ name, value }) => [name, value]) };
}

/** Values of headers may be secrets, the client's as well as the operator's: the row keeps their names only. */
function headerChanges(edits: HeaderEdits, headers: IncomingMessage['headers']): RuleChange[] {
  return [...edits.removed].map((name) => ({
    what: `header:${name}`,
    from: headers[name] === undefined ? null : '(as the client sent it)',
    to: edits.set.some((text, i) => i % 2 === 0 && text === name) ? '(as the rule has it)' : null,
  }));
}

/** Lowers the output limit, and sets one where the request has none. */
function clamp({ route, sent }: Known, limit: number, changes: RuleChange[]): SentBody {
  let clamped = sent;
  for (const { member, current, lowered } of route.ruleView(sent.parsed).outputLimits()) {
    if (current !== null && current <= limit) continue;
    clamped = withMember(clamped, member, lowered(limit));
    const from = current === null ? null : String(current);
    changes.push({ what: 'max_output_tokens', from, to: String(limit) });
  }
  return clamped;
}

/**
 * What a rule makes of a call.
 * @throws AppError `denied_by_rule`, `upstream_key_required`, `invalid_request`
 */
export function withRule<K extends Known>(known: K, rule: Rule, headers: IncomingMessage['headers']): K {
  const { actions } = rule;
  if (actions.deny !== undefined) throw new AppError('denied_by_rule', { detail: actions.deny });
  const ownKey = actions.ownKey === true ? ownKeyOf(headers) : null;
  const changes: RuleChange[] = [];
  const requestedModel = known.facts.model;
  if (actions.model !== undefined) changes.push({ what: 'model', from: requestedModel, to: actions.model });
  const links = linksOf(actions, known.snapshot);
  if (links[0].pool !== null) changes.push({ what: 'pool', from: null, to: links[0].pool.name });
  const edits = headerEdits(actions);
  if (edits !== null) changes.push(...headerChanges(edits, headers));
  if (ownKey !== null) changes.push({ what: 'own_key', from: null, to: 'client' });
  const { maxOutputTokens } = actions;
  const clamped =
    maxOutputTokens === undefined ? known : { ...known, sent: clamp(known, maxOutputTokens, changes) };
  const routing: Routing = {
    ruleId: rule.id,
    requestedModel,
    links,
    at: 0,
    headers: edits,
    ownKey,
    changes,
  };
  return { ...clamped, ...onLink(clamped, routing, 0) };
}

/**
 * Applies the first of the rules that matches; a call that none matches stays as it is. Nothing on disk is read or
 * written because of what a request says (CF-09).
 * @throws AppError as `withRule`
 */
export function applyRules<K extends Known>(
  known: K,
  rules: readonly Rule[],
  headers: IncomingMessage['headers'],
): K {
  if (known.sent.body === null) return known;
  const rule = findRule(rules, ruleSubject(known, headers));
  return rule === null ? known : withRule(known, rule, headers);
}
