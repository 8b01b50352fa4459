import { Button, Modal, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import type { RuleView } from '@tallygate/contract/api/rules';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { useChoices } from '../../app/api/use-choices.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { RuleActionFields } from './rule-action-fields.tsx';
import { RuleConditionFields } from './rule-condition-fields.tsx';
import { RuleJsonFields } from './rule-json-fields.tsx';
import {
  fieldOf,
  fitsForm,
  jsonProblems,
  openingValues,
  partsOf,
  problemsOf,
  type RuleValues,
  toParts,
  toValues,
} from './rule-values.ts';

export type RuleForm = UseFormReturnType<RuleValues>;

/** Shows the same rule the other way; nothing typed is lost, and nothing is shown that would lose a part of it. */
function switchView(fields: RuleForm): void {
  const { values } = fields;
  if (values.view === 'form') {
    const { conditionsJson, actionsJson } = toValues('', toParts(values));
    fields.setValues({ view: 'json', conditionsJson, actionsJson });
    fields.clearErrors();
    return;
  }
  const problems = jsonProblems(values);
  if (Object.keys(problems).length > 0) return fields.setErrors(problems);
  const parts = partsOf(values);
  if (fitsForm(parts)) fields.setValues(toValues(values.name, parts));
  else fields.setErrors({ conditionsJson: 'Holds something that fields cannot show; it stays JSON.' });
}

/** A rule: name, what has to hold, and what follows. Null makes a new one. */
export function RuleForm({ rule, onClose }: { rule: RuleView | null; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const choices = useChoices();
  const fields = useForm<RuleValues>({ initialValues: openingValues(rule), validate: problemsOf });
  const { view } = fields.values;
  // The form is longer than the window: what is wrong may be out of sight.
  const toFirstError = (errors: object): void => fields.getInputNode(Object.keys(errors)[0] ?? '')?.focus();
  const save = useMutation({
    mutationFn: (values: RuleValues) => {
      const body = { name: values.name, ...partsOf(values) };
      return rule === null
        ? api.send<RuleView>('POST', '/api/rules', body)
        : api.send<RuleView>('PATCH', `/api/rules/${encodeURIComponent(rule.id)}`, body);
    },
    onSuccess: async (saved) => {
      onClose();
      announce(`${saved.name} is saved. The next request goes by it.`);
      await queryClient.invalidateQueries({ queryKey: ['rules'] });
    },
    onError: (error) => {
      const found = Object.entries(fieldErrors(error)).map(([path, text]) => [fieldOf(path), text]);
      fields.setErrors(Object.fromEntries(found));
    },
  });
  return (
    <Modal opened onClose={onClose} title={rule === null ? 'Add rule' : 'Edit rule'} size={720}>
      <form
        className={form.form}
        onSubmit={fields.onSubmit((values) => save.mutate(values), toFirstError)}
        noValidate
      >
        <TextInput label="Name" required data-autofocus {...fields.getInputProps('name')} />
        {view === 'form' ? (
          <>
            <RuleConditionFields fields={fields} choices={choices} />
            <RuleActionFields fields={fields} choices={choices} />
          </>
        ) : (
          <RuleJsonFields fields={fields} />
        )}
        {save.isError && <FormError error={save.error} />}
        <div className={form.row}>
          <Button variant="subtle" onClick={() => switchView(fields)}>
            {view === 'form' ? 'Edit as JSON' : 'Edit as a form'}
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}
