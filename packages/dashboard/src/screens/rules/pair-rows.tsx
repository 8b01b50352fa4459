import { Button, CloseButton, NativeSelect, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './rule-form.module.css';
import type { RuleForm } from './rule-form.tsx';

interface Props {
  fields: RuleForm;
  list: 'headers' | 'setHeaders' | 'fallbacks';
  title: string;
  /** What the two fields of a row are. */
  labels: readonly [string, string];
  add: string;
  max: number;
  /** Choices of the second field, where it is chosen and not typed. */
  choices?: readonly { value: string; label: string }[];
  children?: ReactNode;
}

/** A list of rows of two fields. */
export function PairRows({ fields, list, title, labels, add, max, choices, children }: Props) {
  const rows = fields.values[list];
  return (
    <fieldset className={classes.rows}>
      <legend className={classes.legend}>{title}</legend>
      {children}
      {rows.map((_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity but their place
        <div key={index} className={classes.pairRow}>
          <TextInput
            aria-label={`${labels[0]} ${index + 1}`}
            placeholder={labels[0]}
            spellCheck={false}
            {...fields.getInputProps(`${list}.${index}.name`)}
          />
          {choices === undefined ? (
            <TextInput
              aria-label={`${labels[1]} ${index + 1}`}
              placeholder={labels[1]}
              spellCheck={false}
              {...fields.getInputProps(`${list}.${index}.value`)}
            />
          ) : (
            <NativeSelect
              aria-label={`${labels[1]} ${index + 1}`}
              data={[...choices]}
              {...fields.getInputProps(`${list}.${index}.value`)}
            />
          )}
          <CloseButton
            aria-label={`Remove ${labels[0].toLowerCase()} ${index + 1}`}
            onClick={() => fields.removeListItem(list, index)}
          />
        </div>
      ))}
      <div>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={rows.length >= max}
          onClick={() => fields.insertListItem(list, { name: '', value: '' })}
        >
          {add}
        </Button>
      </div>
    </fieldset>
  );
}
