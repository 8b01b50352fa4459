import { useChoices } from '../../app/api/use-choices.ts';
import { ChooseMany } from '../../ui/choose-many.tsx';

/** Who an account serves, in the form's own terms; both empty is everybody. */
export interface Bindings {
  boundProjects: string[];
  boundKeys: string[];
}

type Bound = readonly { kind: 'project' | 'key'; id: string }[];

const idsOf = (bound: Bound, wanted: 'project' | 'key'): string[] =>
  bound.filter(({ kind }) => kind === wanted).map(({ id }) => id);

export const bindingsOf = (bound: Bound): Bindings => ({
  boundProjects: idsOf(bound, 'project'),
  boundKeys: idsOf(bound, 'key'),
});

/** As the API takes them. */
export const boundTo = ({ boundProjects, boundKeys }: Bindings): string[] => [
  ...boundProjects.map((id) => `project:${id}`),
  ...boundKeys.map((id) => `key:${id}`),
];

interface Field {
  value?: string[];
  onChange: (ids: string[]) => void;
  error?: string | null;
}

/** Which projects and keys an account is kept for. */
export function BindingFields({ projects, keys }: { projects: Field; keys: Field }) {
  const choices = useChoices();
  return (
    <>
      <ChooseMany
        label="Only for projects"
        description="Empty, and no keys: it serves everybody."
        choices={choices.projects}
        {...projects}
      />
      <ChooseMany
        label="Only for keys"
        description="A caller with accounts of its own uses no others of that provider."
        choices={choices.keys}
        {...keys}
      />
    </>
  );
}
