import type { Scope, ScopeKind, ScopePart } from '../limits/scope.ts';
import type { StoredScopePart } from '../store/ports/limits.ts';
import type { AdminDeps } from './admin-deps.ts';
import { loadNames, type Names } from './names.ts';
import { invalidInput } from './parse-input.ts';
import { loadUserNames, type UserNames } from './user-names.ts';

/** Names of whatever a scope can name. */
export interface ScopeNames {
  names: Names;
  users: UserNames;
}

export async function loadScopeNames(
  { config, people }: AdminDeps['store'],
  workspaceId: string,
): Promise<ScopeNames> {
  return {
    names: await loadNames(config, workspaceId),
    users: await loadUserNames(people, workspaceId),
  };
}

const KINDS: readonly ScopeKind[] = [
  'project',
  'key',
  'user',
  'session',
  'provider',
  'account',
  'model',
  'tag',
];
const PART = /^([a-z]+):(.+)$/s;
const MAX_PARTS = 5;

const wrong = (message: string): Error => invalidInput([{ in: 'body', path: 'scope', message }]);

function resolve({ kind, value }: ScopePart, deps: AdminDeps, { names, users }: ScopeNames): string {
  if (kind === 'project') {
    const id = names.projectId(value);
    if (names.knows('project', id)) return id;
    throw wrong('there is no project with that slug or id');
  }
  if (kind === 'user') {
    const id = users.idOf(value);
    if (id !== null) return id;
    throw wrong('there is no user with that name or id');
  }
  if ((kind === 'key' || kind === 'account') && !names.knows(kind, value))
    throw wrong(`there is no ${kind} with that id`);
  if (kind === 'provider' && !deps.providers.some(({ id }) => id === value))
    throw wrong(`must name one of ${deps.providers.map(({ id }) => id).join(', ')}`);
  return value;
}

/** The text of a scope with its session named as rows name it: nothing made from it holds an id that is not to be stored. */
export function storedScopeText(text: string, { userHash }: Pick<AdminDeps, 'userHash'>): string {
  if (userHash === null) return text;
  const stored = (part: string): string => {
    const [, kind, value] = PART.exec(part) ?? [];
    return kind === 'session' && value !== undefined ? `session:${userHash.sought(value)}` : part;
  };
  return text
    .split(',')
    .map((part) => stored(part.trim()))
    .join(',');
}

function readPart(text: string): ScopePart {
  const [, name, value] = PART.exec(text) ?? [];
  const kind = KINDS.find((known) => known === name);
  if (kind === undefined || value === undefined)
    throw wrong(
      `must be workspace, or one of ${KINDS.join(', ')} with a value, as in key:ID; several with commas`,
    );
  return { kind, value };
}

/**
 * `workspace`, or parts such as `project:web,model:claude-*`, checked against what there is. Projects and users become
 * ids.
 * @throws AppError `invalid_request`
 */
export async function readScope(text: string, deps: AdminDeps, workspaceId: string): Promise<Scope> {
  if (text === 'workspace') return [];
  const parts = text.split(',').map((part) => readPart(part.trim()));
  if (parts.length > MAX_PARTS) throw wrong(`must have at most ${MAX_PARTS} parts`);
  const single = parts.filter(({ kind }) => kind !== 'tag').map(({ kind }) => kind);
  const twice = single.find((kind, i) => single.indexOf(kind) !== i);
  if (twice !== undefined) throw wrong(`names two values for ${twice}: no request has both`);
  const names = await loadScopeNames(deps.store, workspaceId);
  return parts.map((part) => ({ kind: part.kind, value: resolve(part, deps, names) }));
}

function partText({ kind, value }: StoredScopePart, { names, users }: ScopeNames): string {
  if (kind === 'project') return `project:${names.project(value).slug}`;
  return kind === 'user' ? `user:${users.nameOf(value)}` : `${kind}:${value}`;
}

function partLabel({ kind, value }: StoredScopePart, { names, users }: ScopeNames): string {
  if (kind === 'project') return `project ${names.project(value).slug}`;
  if (kind === 'key') return `key ${names.key(value)?.name ?? value}`;
  if (kind === 'account') return `account ${names.account(value)?.name ?? value}`;
  return kind === 'user' ? `user ${users.nameOf(value)}` : `${kind} ${value}`;
}

/** The scope as it can be given again. */
export function scopeText(scope: readonly StoredScopePart[], names: ScopeNames): string {
  return scope.length === 0 ? 'workspace' : scope.map((part) => partText(part, names)).join(',');
}

/** The scope as people know it. */
export function scopeLabel(scope: readonly StoredScopePart[], names: ScopeNames): string {
  return scope.length === 0 ? 'workspace' : scope.map((part) => partLabel(part, names)).join(', ');
}
