import { useQuery } from '@tanstack/react-query';
import { useApi } from './api-context.tsx';
import { poolsQuery } from './pool-queries.ts';
import { keysQuery, projectsQuery } from './queries.ts';
import { useMay } from './use-may.ts';

/** Something that is stored by its id and shown by its name. */
export interface Choice {
  value: string;
  label: string;
}

export interface Choices {
  keys: Choice[];
  projects: Choice[];
  pools: Choice[];
}

const choiceOf = ({ id, name }: { id: string; name: string }): Choice => ({ value: id, label: name });

/** Keys, projects and pools by name, as far as whoever asks may see them. */
export function useChoices(): Choices {
  const api = useApi();
  const may = useMay();
  const keys = useQuery({ ...keysQuery(api), enabled: may('keys.manage') }).data?.keys ?? [];
  const projects = useQuery({ ...projectsQuery(api), enabled: may('projects.manage') }).data?.projects ?? [];
  const pools = useQuery({ ...poolsQuery(api), enabled: may('accounts.manage') }).data?.pools ?? [];
  return {
    keys: keys.filter((key) => key.revokedAt === null).map(choiceOf),
    projects: projects.map(choiceOf),
    pools: pools.map(choiceOf),
  };
}

/** Every choice by its id, for texts that name them. */
export function namesOf({ keys, projects, pools }: Choices): ReadonlyMap<string, string> {
  return new Map([...keys, ...projects, ...pools].map(({ value, label }) => [value, label]));
}
