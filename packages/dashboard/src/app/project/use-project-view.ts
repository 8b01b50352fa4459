import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useApi } from '../api/api-context.tsx';
import { keysQuery } from '../api/queries.ts';
import { useMay } from '../api/use-may.ts';
import type { Filters } from '../url/filters.ts';
import { coversProject } from '../url/project.ts';
import { useProjects } from './use-projects.ts';

/** What a list shows while one project is chosen. */
export interface ProjectView {
  /** Null when everything is shown. */
  chosen: readonly string[] | null;
  /** Whether a scope such as `project:web,model:x` or `key:ID` is about a chosen project, by itself or by its key. */
  covers(scope: string): boolean;
}

/** The project of the URL, for lists that the server gives whole. */
export function useProjectView(): ProjectView {
  const api = useApi();
  const chosen = (useSearch({ strict: false }) as Filters).project;
  const projects = useProjects() ?? [];
  const may = useMay();
  const keys = useQuery({ ...keysQuery(api), enabled: chosen !== undefined && may('keys.manage') });
  if (chosen === undefined) return { chosen: null, covers: () => true };
  const named = projects.filter(({ id }) => chosen.includes(id)).flatMap(({ id, slug }) => [id, slug]);
  const ids = {
    projects: new Set([...chosen, ...named]),
    keys: new Set(
      (keys.data?.keys ?? []).filter(({ project }) => chosen.includes(project.id)).map(({ id }) => id),
    ),
  };
  return { chosen, covers: (scope) => coversProject(scope, ids) };
}
