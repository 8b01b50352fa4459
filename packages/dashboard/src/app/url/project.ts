import { type Filters, parseFilters } from './filters.ts';

/** The project everything is looked at for; the same parameter as the filter of Overview and Requests. */
export type ProjectSearch = Pick<Filters, 'project'>;

/** Reads it out of untrusted search parameters. */
export function parseProjectSearch(raw: Record<string, unknown>): ProjectSearch {
  const { project } = parseFilters({ project: raw.project });
  return project === undefined ? {} : { project };
}

/** The places whose lists and figures can be about one project; everywhere else is about the whole workspace. */
const PLACES = ['/', '/requests', '/budgets', '/limits', '/keys', '/alerts'];

export function isAboutProjects(path: string): boolean {
  return PLACES.includes(path) || path.startsWith('/requests/');
}

/** Parts of a scope; values may hold colons. */
const partsOf = (scope: string): [kind: string, value: string][] =>
  scope.split(',').map((part) => {
    const at = part.indexOf(':');
    return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
  });

/** Whether a scope such as `project:web,model:x` or `key:ID` is about one of these projects, by itself or by a key of theirs. */
export function coversProject(
  scope: string,
  ids: { projects: ReadonlySet<string>; keys: ReadonlySet<string> },
): boolean {
  return partsOf(scope).some(
    ([kind, value]) =>
      (kind === 'project' && ids.projects.has(value)) || (kind === 'key' && ids.keys.has(value)),
  );
}
