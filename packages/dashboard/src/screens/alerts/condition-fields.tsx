import { Checkbox, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { budgetChoiceQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import form from '../../ui/form.module.css';
import {
  ACCOUNT_WORDS,
  ANOMALY_WORDS,
  GROUP_WORDS,
  LIMIT_WORDS,
  optionsOf,
  SENSITIVITY_WORDS,
  WINDOW_WORDS,
} from './alert-words.ts';
import type { RuleForm } from './rule-form.tsx';

function BudgetChoice({ fields }: { fields: RuleForm }) {
  const budgets = useQuery(budgetChoiceQuery(useApi())).data?.budgets ?? [];
  return (
    <Select
      label="Budget"
      data={[
        { value: '', label: 'Every budget' },
        ...budgets.map(({ id, name }) => ({ value: id, label: name })),
      ]}
      allowDeselect={false}
      {...fields.getInputProps('budget')}
    />
  );
}

function AnomalyFields({ fields }: { fields: RuleForm }) {
  return (
    <>
      <div className={form.pair}>
        <Select
          label="Of"
          data={optionsOf(ANOMALY_WORDS)}
          allowDeselect={false}
          {...fields.getInputProps('metric')}
        />
        <Select
          label="Looked at"
          data={optionsOf(GROUP_WORDS)}
          allowDeselect={false}
          {...fields.getInputProps('by')}
        />
      </div>
      <Select
        label="How unusual"
        description="Held against the same hour of earlier days or weeks; it takes a week of history"
        data={optionsOf(SENSITIVITY_WORDS)}
        allowDeselect={false}
        {...fields.getInputProps('sensitivity')}
      />
    </>
  );
}

/** What the chosen kind of rule needs to know. */
export function ConditionFields({ fields }: { fields: RuleForm }) {
  const { watch } = fields.values;
  switch (watch) {
    case 'security':
      return (
        <Checkbox
          label="Only what is critical"
          size="sm"
          {...fields.getInputProps('onlyCritical', { type: 'checkbox' })}
        />
      );
    case 'account':
      return (
        <Checkbox.Group label="When" {...fields.getInputProps('conditions')}>
          {optionsOf(ACCOUNT_WORDS).map(({ value, label }) => (
            <Checkbox key={value} value={value} label={label} size="sm" mt={8} />
          ))}
        </Checkbox.Group>
      );
    case 'anomaly':
      return <AnomalyFields fields={fields} />;
    case 'forecast':
      return <BudgetChoice fields={fields} />;
    case 'budget':
      return (
        <>
          <div className={form.pair}>
            <BudgetChoice fields={fields} />
            <TextInput
              label="At per cent"
              description="With commas between"
              {...fields.getInputProps('percents')}
            />
          </div>
          <Checkbox
            label="Also count what is held for requests on their way"
            size="sm"
            {...fields.getInputProps('includeHeld', { type: 'checkbox' })}
          />
        </>
      );
    default:
      return (
        <div className={form.pair}>
          <TextInput
            label={LIMIT_WORDS[watch]}
            inputMode="decimal"
            required
            {...fields.getInputProps('reaches')}
          />
          <Select
            label="Over which time"
            data={optionsOf(WINDOW_WORDS)}
            allowDeselect={false}
            {...fields.getInputProps('window')}
          />
        </div>
      );
  }
}
