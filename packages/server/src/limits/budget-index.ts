import type { BudgetScope, RequestScopes } from './budget.ts';

interface Scoped {
  readonly budget: { workspaceId: string; scope: BudgetScope };
}

/** Names of models come from clients: what is remembered of them is bounded. */
const MAX_MODELS = 2_000;
const NONE: readonly never[] = [];

/** A pattern of models, `*` standing for anything; matching is case-sensitive because model ids are. */
export function modelPattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** Finds the budgets a request falls under without looking at the others. */
export class BudgetIndex<T extends Scoped> {
  readonly #byValue: Record<Exclude<BudgetScope['kind'], 'model'>, Map<string, T[]>> = {
    workspace: new Map(),
    project: new Map(),
    key: new Map(),
    provider: new Map(),
    account: new Map(),
    tag: new Map(),
  };
  readonly #models: { pattern: RegExp; item: T }[] = [];
  readonly #byModel = new Map<string, readonly T[]>();

  constructor(items: Iterable<T>) {
    for (const item of items) {
      const { kind, value } = item.budget.scope;
      if (kind === 'model') this.#models.push({ pattern: modelPattern(value), item });
      else {
        const list = this.#byValue[kind].get(value);
        if (list) list.push(item);
        else this.#byValue[kind].set(value, [item]);
      }
    }
  }

  /** Every budget of the request's workspace that counts it, each once. */
  matching(scopes: RequestScopes): T[] {
    const found: T[] = [];
    const { workspace, project, key, provider, account, tag } = this.#byValue;
    const { workspaceId } = scopes;
    const add = (list: readonly T[] | undefined): void => {
      if (list === undefined) return;
      for (const item of list) if (item.budget.workspaceId === workspaceId) found.push(item);
    };
    add(workspace.get(''));
    add(project.get(scopes.projectId));
    if (scopes.keyId !== null) add(key.get(scopes.keyId));
    add(provider.get(scopes.provider));
    if (scopes.accountId !== null) add(account.get(scopes.accountId));
    if (tag.size > 0) for (const name of new Set(scopes.tags)) add(tag.get(name));
    if (scopes.model !== null && this.#models.length > 0) add(this.#ofModel(scopes.model));
    return found;
  }

  #ofModel(model: string): readonly T[] {
    const known = this.#byModel.get(model);
    if (known) return known;
    const found = this.#models.filter(({ pattern }) => pattern.test(model)).map(({ item }) => item);
    if (this.#byModel.size >= MAX_MODELS) this.#byModel.clear();
    this.#byModel.set(model, found.length === 0 ? NONE : found);
    return found;
  }
}
