import { Button, Checkbox, Modal, Select, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { type AlertRuleView, alertRuleCreateRequest } from '@tallygate/contract/api/alerts';
import { describeIssue } from '@tallygate/contract/api/describe-issue';
import { useQuery } from '@tanstack/react-query';
import { alertChannelsQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { optionsOf, SEVERITY_WORDS, WATCHED_WORDS } from './alert-words.ts';
import { ConditionFields } from './condition-fields.tsx';
import { RuleRehearsal } from './rule-rehearsal.tsx';
import { fieldOf, fromRule, NEW_RULE, type RuleValues, toRuleRequest } from './rule-values.ts';
import { TrafficFields } from './traffic-fields.tsx';
import { useAlertChange } from './use-alert-change.ts';

export type RuleForm = UseFormReturnType<RuleValues>;

const COOLDOWNS = {
  '0': 'None: every time',
  '15': '15 minutes',
  '60': 'One hour',
  '360': 'Six hours',
  '1440': 'One day',
};

/** The contract's complaints by the form's fields. */
function problemsOf(values: RuleValues, rule: AlertRuleView | null): Record<string, string> {
  const result = alertRuleCreateRequest.safeParse(toRuleRequest(values, rule));
  if (result.success) return {};
  const errors: Record<string, string> = {};
  for (const issue of result.error.issues)
    errors[fieldOf(issue.path.map(String).join('.'))] ??= describeIssue(issue);
  return errors;
}

function cooldownOptions(current: string) {
  const known = optionsOf(COOLDOWNS);
  return known.some(({ value }) => value === current)
    ? known
    : [...known, { value: current, label: `${current} minutes` }];
}

function TellFields({ fields }: { fields: RuleForm }) {
  const channels = useQuery(alertChannelsQuery(useApi())).data?.channels ?? [];
  return (
    <>
      <Checkbox.Group
        label="Whom to tell"
        description={
          channels.length === 0
            ? 'There is no channel yet. The rule shows in the history; add a channel and choose it here.'
            : undefined
        }
        {...fields.getInputProps('channelIds')}
      >
        {channels.map(({ id, name, destination }) => (
          <Checkbox key={id} value={id} label={name} description={destination} size="sm" mt={8} />
        ))}
      </Checkbox.Group>
      <div className={form.pair}>
        <Select
          label="Severity"
          data={optionsOf(SEVERITY_WORDS)}
          allowDeselect={false}
          {...fields.getInputProps('severity')}
        />
        <Select
          label="Quiet after a notice"
          description="What still holds then is told then"
          data={cooldownOptions(fields.values.cooldown)}
          allowDeselect={false}
          {...fields.getInputProps('cooldown')}
        />
      </div>
      <Checkbox
        label="Tell when it is over, too"
        size="sm"
        {...fields.getInputProps('notifyRecovery', { type: 'checkbox' })}
      />
    </>
  );
}

/** A rule, new or changed. Nothing typed is lost when the server refuses. */
export function RuleFormDialog(props: {
  rule: AlertRuleView | null;
  start?: Partial<RuleValues> | undefined;
  onClose: () => void;
}) {
  const { rule, start, onClose } = props;
  const api = useApi();
  const fields = useForm<RuleValues>({
    initialValues: rule === null ? { ...NEW_RULE, ...start } : fromRule(rule),
    validate: (values) => problemsOf(values, rule),
  });
  const save = useAlertChange(
    (values: RuleValues) => {
      const body = toRuleRequest(values, rule);
      return rule === null
        ? api.send<AlertRuleView>('POST', '/api/alerts/rules', body)
        : api.send<AlertRuleView>('PATCH', `/api/alerts/rules/${encodeURIComponent(rule.id)}`, body);
    },
    {
      done: rule === null ? 'Rule made. It is judged from now on.' : 'Rule changed.',
      onDone: onClose,
      onError: (error) =>
        fields.setErrors(
          Object.fromEntries(Object.entries(fieldErrors(error)).map(([path, text]) => [fieldOf(path), text])),
        ),
    },
  );
  return (
    <Modal opened onClose={onClose} title={rule === null ? 'New rule' : 'Change rule'} size={580}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => save.mutate(values))} noValidate>
        <TextInput
          label="Name"
          placeholder="Daily spend"
          required
          data-autofocus
          {...fields.getInputProps('name')}
        />
        <Select
          label="Tell me when"
          data={optionsOf(WATCHED_WORDS)}
          allowDeselect={false}
          {...fields.getInputProps('watch')}
        />
        <ConditionFields fields={fields} />
        <TrafficFields fields={fields} />
        <RuleRehearsal values={fields.values} rule={rule} />
        <TellFields fields={fields} />
        <FormError error={save.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            {rule === null ? 'Make the rule' : 'Save'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
