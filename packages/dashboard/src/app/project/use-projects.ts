import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useApi } from '../api/api-context.tsx';
import { breakdownQuery, projectsQuery } from '../api/queries.ts';
import { useMay } from '../api/use-may.ts';
import { resolveRange } from '../url/time-range.ts';

export interface ProjectChoice {
  id: string;
  slug: string;
  name: string;
}

const HOUR_MS = 3_600_000;
const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS) * HOUR_MS;

/**
 * The projects of the workspace. Whoever may not list them knows those with traffic of late, from the figures that they
 * may see. Null while they are asked for.
 */
export function useProjects(): ProjectChoice[] | null {
  const api = useApi();
  const may = useMay();
  const lists = may('projects.manage');
  const all = useQuery({ ...projectsQuery(api), enabled: lists });
  // One question an hour, and the same for everybody who asks it.
  const range = useMemo(() => resolveRange({ range: '30d' }, hourOf(Date.now())), []);
  const seen = useQuery({
    ...breakdownQuery(api, { range, filters: {} }, 'project', 100),
    enabled: !lists && may('usage.view'),
  });
  if (lists) return all.data?.projects ?? null;
  const rows = seen.data?.rows.filter(({ key }) => key !== '');
  return rows?.map(({ key, label }) => ({ id: key, slug: label, name: label })) ?? null;
}
