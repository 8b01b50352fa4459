import { compileGlob, type Glob } from '../kernel/glob.ts';
import type { RequestSubject, Scope, ScopeKind } from './scope.ts';

export interface Scoped {
  /** Null for every workspace. */
  readonly workspaceId: string | null;
  readonly scope: Scope;
}

interface Filed<T> {
  item: T;
  /** What is left to match once the index has found it; null for nothing. */
  rest: ((subject: RequestSubject) => boolean) | null;
}

/** Names of models come from clients: what is remembered of them is bounded. */
const MAX_MODELS = 2_000;
/** The most telling part files the item: few requests share a session, all of them share a provider. */
const BY_TELLING: readonly ScopeKind[] = [
  'session',
  'key',
  'tag',
  'user',
  'account',
  'project',
  'model',
  'provider',
];

type Exact = Exclude<ScopeKind, 'model'>;

const PART_MATCHES: Readonly<Record<Exact, (subject: RequestSubject, value: string) => boolean>> = {
  project: (subject, value) => subject.projectId === value,
  key: (subject, value) => subject.keyId === value,
  user: (subject, value) => subject.userId === value,
  session: (subject, value) => subject.sessionId === value,
  provider: (subject, value) => subject.provider === value,
  account: (subject, value) => subject.accountId === value,
  tag: (subject, value) => subject.tags.includes(value),
};

function matcherOf(workspaceId: string | null, parts: Scope): Filed<never>['rest'] {
  const matchers: ((subject: RequestSubject) => boolean)[] = parts.map(({ kind, value }) => {
    if (kind !== 'model') return (subject: RequestSubject) => PART_MATCHES[kind](subject, value);
    const pattern = compileGlob(value);
    return ({ model }: RequestSubject) => model !== null && pattern.test(model);
  });
  if (workspaceId !== null) matchers.unshift((subject) => subject.workspaceId === workspaceId);
  if (matchers.length === 0) return null;
  return (subject) => matchers.every((matches) => matches(subject));
}

function addCovering<T>(filed: readonly Filed<T>[], subject: RequestSubject, to: T[]): void {
  for (const { item, rest } of filed) if (rest === null || rest(subject)) to.push(item);
}

function addFiled<T>(
  byValue: ReadonlyMap<string, Filed<T>[]>,
  value: string | null,
  subject: RequestSubject,
  to: T[],
): void {
  if (value === null || byValue.size === 0) return;
  const filed = byValue.get(value);
  if (filed !== undefined) addCovering(filed, subject, to);
}

/** Finds what covers a request without looking at the rest. */
export class ScopeIndex<T> {
  readonly #everywhere: Filed<T>[] = [];
  readonly #byValue: Record<Exact, Map<string, Filed<T>[]>> = {
    project: new Map(),
    key: new Map(),
    user: new Map(),
    session: new Map(),
    provider: new Map(),
    account: new Map(),
    tag: new Map(),
  };
  readonly #models: { pattern: Glob; filed: Filed<T> }[] = [];
  readonly #byModel = new Map<string, readonly Filed<T>[]>();

  constructor(items: Iterable<T>, scopedOf: (item: T) => Scoped) {
    for (const item of items) this.#file(item, scopedOf(item));
  }

  #file(item: T, { workspaceId, scope }: Scoped): void {
    const kind = BY_TELLING.find((one) => scope.some((part) => part.kind === one));
    const first = scope.find((part) => part.kind === kind);
    const rest = scope.filter((part) => part !== first);
    const filed = { item, rest: matcherOf(workspaceId, rest) };
    if (first === undefined) return void this.#everywhere.push(filed);
    if (first.kind === 'model') return void this.#models.push({ pattern: compileGlob(first.value), filed });
    const list = this.#byValue[first.kind].get(first.value);
    if (list) list.push(filed);
    else this.#byValue[first.kind].set(first.value, [filed]);
  }

  /** Everything that covers this request, each once. */
  matching(subject: RequestSubject): T[] {
    const found: T[] = [];
    const { project, key, user, session, provider, account, tag } = this.#byValue;
    addCovering(this.#everywhere, subject, found);
    addFiled(project, subject.projectId, subject, found);
    addFiled(key, subject.keyId, subject, found);
    addFiled(user, subject.userId, subject, found);
    addFiled(session, subject.sessionId, subject, found);
    addFiled(provider, subject.provider, subject, found);
    addFiled(account, subject.accountId, subject, found);
    if (tag.size > 0) for (const name of new Set(subject.tags)) addFiled(tag, name, subject, found);
    if (subject.model !== null && this.#models.length > 0)
      addCovering(this.#ofModel(subject.model), subject, found);
    return found;
  }

  #ofModel(model: string): readonly Filed<T>[] {
    const known = this.#byModel.get(model);
    if (known) return known;
    const found = this.#models.filter(({ pattern }) => pattern.test(model)).map(({ filed }) => filed);
    if (this.#byModel.size >= MAX_MODELS) this.#byModel.clear();
    this.#byModel.set(model, found);
    return found;
  }
}
