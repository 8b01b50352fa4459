import { Button, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { RuleTestView } from '@tallygate/contract/api/rules';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import panel from '../../ui/panel.module.css';
import classes from './rules-screen.module.css';

interface Values {
  path: string;
  header: string;
  body: string;
}

const BODY = `{
  "model": "claude-opus-4-1",
  "max_tokens": 4096,
  "system": "You are a code reviewer.",
  "messages": [{ "role": "user", "content": "Hello" }]
}`;

function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    return 'Is not JSON.';
  }
}

/** `name: value`, one a line. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => line.split(/:\s*(.*)/s));
  return Object.fromEntries(
    pairs.filter(([name]) => name?.trim()).map(([name = '', value = '']) => [name.trim(), value]),
  );
}

/** Which rule would apply to a request, and why. Nothing is sent upstream. */
export function TestRules() {
  const api = useApi();
  const fields = useForm<Values>({
    initialValues: { path: '/v1/messages', header: '', body: BODY },
    validate: { body: jsonProblem },
  });
  const test = useMutation({
    mutationFn: ({ path, header, body }: Values) =>
      api.send<RuleTestView>('POST', '/api/rules/test', {
        path,
        headers: headersOf(header),
        body: JSON.parse(body),
      }),
  });
  return (
    <section className={`${panel.panel} ${classes.test}`} aria-labelledby="test-rules">
      <h2 id="test-rules">Test a request</h2>
      <form className={form.form} onSubmit={fields.onSubmit((values) => test.mutate(values))} noValidate>
        <div className={form.pair}>
          <TextInput label="Path" {...fields.getInputProps('path')} />
          <Textarea
            label="Headers"
            description="name: value, one a line"
            rows={1}
            {...fields.getInputProps('header')}
          />
        </div>
        <Textarea
          label="Body"
          rows={7}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          {...fields.getInputProps('body')}
        />
        {test.isError && <FormError error={test.error} />}
        <div className={form.row}>
          <Button type="submit" loading={test.isPending}>
            Which rule applies?
          </Button>
        </div>
      </form>
      <div role="status">{test.data && <Result view={test.data} />}</div>
    </section>
  );
}

function Result({ view }: { view: RuleTestView }) {
  return (
    <>
      <p>
        {view.rule === null ? 'No rule applies.' : `“${view.rule.name}” applies.`} The gate sees model{' '}
        {view.facts.model ?? 'none'}, user {view.facts.user ?? 'none'} and about {view.facts.estimatedTokens}{' '}
        tokens of input.
      </p>
      <ul className={classes.verdicts}>
        {view.rules.map((rule) => (
          <li key={rule.id} className={classes.verdict} data-applies={rule.id === view.rule?.id}>
            {rule.name}: {rule.reason}
          </li>
        ))}
      </ul>
      {view.changes.length > 0 && (
        <ul className={classes.verdicts} aria-label="What it changes">
          {view.changes.map((change) => (
            <li key={change.what}>
              {change.what}: {change.from ?? 'not set'} → {change.to ?? 'removed'}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
