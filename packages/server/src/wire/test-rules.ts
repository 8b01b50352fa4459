import type { RuleTestView, ruleTestRequest } from '@tallygate/contract/api/rules';
import type { z } from 'zod';
import { createDataRoutes } from '../http/data-routes.ts';
import { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { KeyEntry } from '../pipeline/snapshot.ts';
import { OWN_KEY_HEADER, ruleSubject, withRule } from '../pipeline/stages/apply-rules.ts';
import { failingCondition } from '../rules/find-rule.ts';
import { ADAPTERS } from './adapters.ts';
import type { Core } from './core.ts';

type Asked = z.output<typeof ruleTestRequest>;

const NOBODY: KeyEntry = {
  id: '',
  workspaceId: '',
  projectId: '',
  userId: null,
  secretHash: '',
  scopes: new Set(),
  workspaceClients: null,
  limits: null,
  reach: null,
  expiresAtMs: null,
  disconnectPolicy: 'abort',
};

const wrong = (detail: string): AppError => new AppError('invalid_request', { detail });

function keyOf(core: Core, workspaceId: string, { key, project }: Asked): KeyEntry {
  const own = (entry: KeyEntry): boolean => entry.id === key && entry.workspaceId === workspaceId;
  const entry =
    key === undefined ? { ...NOBODY, workspaceId } : [...core.snapshot.current().keys.values()].find(own);
  if (entry === undefined) throw wrong('There is no key with that id that is in use.');
  return project === undefined ? entry : { ...entry, projectId: project };
}

/** The call as the gateway would see it, as far as rules look at it. */
function callOf(core: Core, workspaceId: string, asked: Asked) {
  const headers = Object.fromEntries(
    Object.entries(asked.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const [path = ''] = asked.path.split('?');
  const route = createDataRoutes(ADAPTERS).find('POST', path, headers);
  if (route === null) throw wrong(`The gate has no route POST ${path}.`);
  if (typeof asked.body !== 'object' || asked.body === null || Array.isArray(asked.body))
    throw wrong('The body must be a JSON object.');
  const body = Buffer.from(JSON.stringify(asked.body));
  const known = {
    route,
    key: keyOf(core, workspaceId, asked),
    snapshot: core.snapshot.current(),
    facts: route.facts(asked.body, headers, path),
    sent: { body, parsed: asked.body },
    startedAtMs: asked.at === undefined ? core.clock.now() : Date.parse(asked.at),
    routing: null,
  };
  return { known, headers };
}

function changesOf(
  known: ReturnType<typeof callOf>['known'],
  rule: Parameters<typeof withRule>[1],
  headers: Record<string, string>,
): RuleTestView['changes'] {
  const { deny, ownKey, fallbacks = [] } = rule.actions;
  if (deny !== undefined) return [{ what: 'deny', from: null, to: deny }];
  // What the credential is does not matter here, and a test should not have to carry one.
  const sent = ownKey === true ? { ...headers, [OWN_KEY_HEADER]: new Secret('x').reveal() } : headers;
  const ruled = withRule({ ...known, routing: null }, rule, sent);
  const { routing } = ruled as {
    routing: {
      changes: RuleTestView['changes'];
      links: { model: string | null; pool: { name: string } | null }[];
    } | null;
  };
  const chain = fallbacks.map((_, i) => {
    const link = routing?.links[i + 1];
    const to = [link?.model, link?.pool?.name].filter((part) => part != null).join(' in ');
    return { what: `fallback ${i + 1}`, from: null, to };
  });
  return [...(routing?.changes ?? []), ...chain];
}

/** Which rule would apply to a request, and why. */
export function testRules(core: Core, workspaceId: string, asked: Asked): RuleTestView {
  const { known, headers } = callOf(core, workspaceId, asked);
  const subject = ruleSubject(known, headers);
  let applied: Parameters<typeof withRule>[1] | null = null;
  const rules = (known.snapshot.rules?.get(workspaceId) ?? []).map((rule) => {
    const failing = failingCondition(rule, subject);
    const applies = failing === null;
    const first = applies && applied === null;
    if (first) applied = rule;
    const reason = !applies
      ? `It does not hold that ${failing}.`
      : first
        ? reasonOf(rule.conditions)
        : 'It matches, too; an earlier rule goes first.';
    return { id: rule.id, name: rule.name, applies, reason };
  });
  const found = applied as Parameters<typeof withRule>[1] | null;
  return {
    facts: {
      model: subject.model,
      user: subject.user(),
      estimatedTokens: subject.estimatedTokens(),
      systemChars: subject.system().length,
    },
    rules,
    rule: found === null ? null : { id: found.id, name: found.name },
    changes: found === null ? [] : changesOf(known, found, headers),
  };
}

function reasonOf(conditions: readonly { text: string }[]): string {
  if (conditions.length === 0) return 'It applies to every request.';
  return `It holds that ${conditions.map(({ text }) => text).join(', and ')}.`;
}
