import { Checkbox, NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core';
import type { Choices } from '../../app/api/use-choices.ts';
import form from '../../ui/form.module.css';
import { PairRows } from './pair-rows.tsx';
import classes from './rule-form.module.css';
import type { RuleForm } from './rule-form.tsx';

const MAX_OUTPUT_TOKENS = 10_000_000;
const MAX_HEADERS = 20;
const MAX_FALLBACKS = 5;

/** What a rule does with the requests it applies to. */
export function RuleActionFields({ fields, choices }: { fields: RuleForm; choices: Choices }) {
  const { refuses } = fields.values;
  return (
    <section className={classes.group} aria-labelledby="rule-then">
      <h3 id="rule-then" className={classes.title}>
        Then
      </h3>
      <Checkbox
        size="sm"
        label="Refuse the request"
        {...fields.getInputProps('refuses', { type: 'checkbox' })}
      />
      {refuses ? (
        <Textarea
          label="Message"
          description="The client gets it with the refusal."
          required
          rows={2}
          {...fields.getInputProps('deny')}
        />
      ) : (
        <Changes fields={fields} pools={choices.pools} />
      )}
    </section>
  );
}

function Changes({ fields, pools }: { fields: RuleForm; pools: Choices['pools'] }) {
  const { pool, fallbacks } = fields.values;
  const shown = withChosen(pools, [pool, ...fallbacks.map(({ value }) => value)]);
  return (
    <>
      <div className={form.pair}>
        <TextInput
          label="Ask for this model"
          description="Empty: the one asked for"
          spellCheck={false}
          {...fields.getInputProps('model')}
        />
        <NativeSelect
          label="Serve it from"
          description="A pool of accounts"
          data={[{ value: '', label: 'All accounts' }, ...shown]}
          {...fields.getInputProps('pool')}
        />
      </div>
      <PairRows
        fields={fields}
        list="fallbacks"
        title="If that fails, in this order"
        labels={['Model', 'Pool']}
        add="Add a fallback"
        max={MAX_FALLBACKS}
        choices={[{ value: '', label: 'Same pool' }, ...shown]}
      />
      <NumberInput
        label="Output at most"
        description="Tokens; lowers the limit of the request, and sets one where it has none"
        min={1}
        max={MAX_OUTPUT_TOKENS}
        allowDecimal={false}
        {...fields.getInputProps('maxOutputTokens')}
      />
      <PairRows
        fields={fields}
        list="setHeaders"
        title="Set headers"
        labels={['Header', 'Value']}
        add="Set a header"
        max={MAX_HEADERS}
      />
      <Textarea
        label="Remove headers"
        description="One name a line"
        rows={2}
        spellCheck={false}
        {...fields.getInputProps('removeHeaders')}
      />
      <Checkbox
        size="sm"
        label="With the client’s own key"
        description="The client sends it in x-tallygate-upstream-key; the account’s own is not used."
        {...fields.getInputProps('ownKey', { type: 'checkbox' })}
      />
    </>
  );
}

/** A pool that was chosen and is not among those that can be seen keeps its place. */
function withChosen(pools: Choices['pools'], chosen: readonly string[]): Choices['pools'] {
  const known = new Set(pools.map(({ value }) => value));
  const missing = [...new Set(chosen)].filter((id) => id !== '' && !known.has(id));
  return [...pools, ...missing.map((id) => ({ value: id, label: `${id} (not there)` }))];
}
