import '../../ui/pills-styles.ts';
import { MultiSelect, Select, TagsInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { keysQuery } from '../../app/api/queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { ENVIRONMENT_LABELS } from '../../app/url/environment.ts';
import { resolveRange } from '../../app/url/time-range.ts';
import { type FilterOption, useFilterOptions } from '../../app/view/filter-options.ts';
import form from '../../ui/form.module.css';
import { optionsOf } from './alert-words.ts';
import classes from './alerts.module.css';
import type { RuleForm } from './rule-form.tsx';
import { FILTER_FIELDS, hasEnvironment, isTraffic } from './rule-values.ts';

const ANY_ENVIRONMENT = { value: '', label: 'Any, each by itself' };

/** A value of a rule that is in no list, such as a key that was revoked, still has to be seen to be taken away. */
function withChosen(options: FilterOption[], chosen: readonly string[]): FilterOption[] {
  const missing = chosen.filter((value) => !options.some((option) => option.value === value));
  return [...options, ...missing.map((value) => ({ value, label: value }))];
}

/** The people who have keys: whose traffic a rule can look at. */
function useOwners(): FilterOption[] {
  const may = useMay();
  const keys = useQuery({ ...keysQuery(useApi()), enabled: may('keys.manage') }).data?.keys ?? [];
  const owners = new Map(
    keys.flatMap(({ user }) => (user === null ? [] : [[user.id, user.username] as const])),
  );
  return [...owners].map(([value, label]) => ({ value, label }));
}

function Narrowing({ fields }: { fields: RuleForm }) {
  const [scope] = useState(() => ({ range: resolveRange({ range: '30d' }, Date.now()), filters: {} }));
  const options = useFilterOptions(scope);
  const users = useOwners();
  const choice = (
    name: 'projects' | 'keys' | 'users' | 'providers' | 'accounts',
    label: string,
    data: FilterOption[],
  ) => (
    <MultiSelect
      label={label}
      placeholder={fields.values[name].length === 0 ? 'All' : ''}
      data={withChosen(data, fields.values[name])}
      searchable
      clearable
      {...fields.getInputProps(name)}
    />
  );
  const typed = (name: 'models' | 'tags', label: string, data: string[]) => (
    <TagsInput
      label={label}
      placeholder={fields.values[name].length === 0 ? 'All' : ''}
      data={data}
      clearable
      {...fields.getInputProps(name)}
    />
  );
  return (
    <div className={form.form}>
      <p className={classes.note}>
        Several of one kind are alternatives; different kinds have to hold together.
      </p>
      <div className={form.pair}>
        {choice('projects', 'Projects', options.project)}
        {choice('keys', 'Keys', options.key)}
      </div>
      <div className={form.pair}>
        {choice('users', 'Users', users)}
        {typed(
          'models',
          'Models, as served',
          options.model.map(({ value }) => value),
        )}
      </div>
      <div className={form.pair}>
        {choice('providers', 'Providers', options.provider)}
        {choice('accounts', 'Accounts', options.account)}
      </div>
      {typed('tags', 'Tags', [])}
    </div>
  );
}

/** Which traffic a rule looks at. */
export function TrafficFields({ fields }: { fields: RuleForm }) {
  const { watch } = fields.values;
  const narrowed = FILTER_FIELDS.reduce((sum, name) => sum + fields.values[name].length, 0);
  const [open] = useState(narrowed > 0);
  return (
    <>
      {hasEnvironment(watch) && (
        <Select
          label="Environment"
          description="Their figures are never added up"
          data={[ANY_ENVIRONMENT, ...optionsOf(ENVIRONMENT_LABELS)]}
          allowDeselect={false}
          {...fields.getInputProps('environment')}
        />
      )}
      {isTraffic(watch) && (
        <details open={open}>
          <summary>Only some of the traffic{narrowed > 0 && ` (${narrowed} chosen)`}</summary>
          <Narrowing fields={fields} />
        </details>
      )}
    </>
  );
}
