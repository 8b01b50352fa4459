import './pills-styles.ts';
import { MultiSelect } from '@mantine/core';

interface Props {
  label: string;
  description: string;
  /** What can be chosen; what is chosen and no longer there is shown by its id. */
  choices: readonly { value: string; label: string }[];
  value?: string[];
  error?: string | null;
  onChange: (chosen: string[]) => void;
}

/** Several things, chosen by name. */
export function ChooseMany({ choices, value = [], ...props }: Props) {
  const known = new Set(choices.map((choice) => choice.value));
  const gone = value.filter((id) => !known.has(id)).map((id) => ({ value: id, label: `${id} (not there)` }));
  return (
    <MultiSelect
      data={[...choices, ...gone]}
      value={value}
      searchable
      clearable
      hidePickedOptions
      limit={100}
      nothingFoundMessage="Nothing by that name"
      comboboxProps={{ withinPortal: true }}
      {...props}
    />
  );
}
