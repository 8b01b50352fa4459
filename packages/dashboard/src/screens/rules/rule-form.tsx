import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type RuleView, ruleActions, ruleConditions } from '@tallygate/contract/api/rules';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';

interface Values {
  name: string;
  conditions: string;
  actions: string;
}

const EXAMPLE = `{ "models": ["claude-opus-*"], "systemContains": ["You are a code reviewer"] }
{ "model": "claude-haiku-4-5", "fallbacks": [{ "model": "claude-sonnet-4-5" }] }`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemOf(schema: typeof ruleConditions | typeof ruleActions, text: string): string | null {
  const value = parsed(text);
  if (value === undefined) return 'Is not JSON.';
  const [first] = Object.entries(schemaErrors(schema, value));
  return first === undefined ? null : `${first[0]}: ${first[1]}`;
}

/** A rule as it is stored: name, conditions and actions. Null makes a new one. */
export function RuleForm({ rule, onClose }: { rule: RuleView | null; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const fields = useForm<Values>({
    initialValues: {
      name: rule?.name ?? '',
      conditions: JSON.stringify(rule?.conditions ?? {}, null, 2),
      actions: JSON.stringify(rule?.actions ?? {}, null, 2),
    },
    validate: {
      name: (name) => (name.trim() === '' ? 'Give it a name.' : null),
      conditions: (text) => problemOf(ruleConditions, text),
      actions: (text) => problemOf(ruleActions, text),
    },
  });
  const save = useMutation({
    mutationFn: ({ name, conditions, actions }: Values) => {
      const body = { name, conditions: parsed(conditions), actions: parsed(actions) };
      return rule === null
        ? api.send<RuleView>('POST', '/api/rules', body)
        : api.send<RuleView>('PATCH', `/api/rules/${encodeURIComponent(rule.id)}`, body);
    },
    onSuccess: async (saved) => {
      onClose();
      announce(`${saved.name} is saved. The next request goes by it.`);
      await queryClient.invalidateQueries({ queryKey: ['rules'] });
    },
  });
  return (
    <Modal opened onClose={onClose} title={rule === null ? 'Add rule' : 'Edit rule'} size={640}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => save.mutate(values))} noValidate>
        <TextInput label="Name" required data-autofocus {...fields.getInputProps('name')} />
        <Textarea
          label="When all of this holds"
          description="JSON. Empty braces match every request."
          rows={6}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          {...fields.getInputProps('conditions')}
        />
        <Textarea
          label="Do this"
          description="JSON: model, pool, setHeaders, removeHeaders, maxOutputTokens, fallbacks, ownKey or deny."
          rows={6}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          {...fields.getInputProps('actions')}
        />
        <CodeBlock code={EXAMPLE} label="an example of both" />
        {save.isError && <FormError error={save.error} />}
        <div className={form.row}>
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
