import { Checkbox, NumberInput, Textarea, TextInput } from '@mantine/core';
import type { Choices } from '../../app/api/use-choices.ts';
import { ChooseMany } from '../../ui/choose-many.tsx';
import form from '../../ui/form.module.css';
import { PairRows } from './pair-rows.tsx';
import classes from './rule-form.module.css';
import type { RuleForm } from './rule-form.tsx';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MAX_TOKENS = 100_000_000;
const MAX_HEADERS = 20;

/** What has to hold for a rule to apply. */
export function RuleConditionFields({ fields, choices }: { fields: RuleForm; choices: Choices }) {
  return (
    <section className={classes.group} aria-labelledby="rule-when">
      <h3 id="rule-when" className={classes.title}>
        When all of this holds
      </h3>
      <p className={classes.hint}>What is left empty does not matter. Within a field one is enough.</p>
      <div className={form.pair}>
        <ChooseMany
          label="Keys"
          description="Requests with one of these"
          choices={choices.keys}
          {...fields.getInputProps('keys')}
        />
        <ChooseMany
          label="Projects"
          description="Requests of one of these"
          choices={choices.projects}
          {...fields.getInputProps('projects')}
        />
      </div>
      <div className={form.pair}>
        <Textarea
          label="Models asked for"
          description="One a line; * stands for any characters"
          placeholder="claude-opus-*"
          rows={2}
          spellCheck={false}
          {...fields.getInputProps('models')}
        />
        <Textarea
          label="Users named by the request"
          description="One a line; * stands for any characters"
          rows={2}
          spellCheck={false}
          {...fields.getInputProps('users')}
        />
      </div>
      <Textarea
        label="Agent marker"
        description="Words of the system prompt, letter by letter; one a line"
        placeholder="You are a code reviewer"
        rows={2}
        {...fields.getInputProps('systemContains')}
      />
      <PairRows
        fields={fields}
        list="headers"
        title="Headers"
        labels={['Header', 'Pattern']}
        add="Add a header"
        max={MAX_HEADERS}
      />
      <div className={form.pair}>
        <NumberInput
          label="Input from"
          description="Estimated tokens"
          min={0}
          max={MAX_TOKENS}
          allowDecimal={false}
          {...fields.getInputProps('minTokens')}
        />
        <NumberInput
          label="Input up to"
          description="Estimated tokens"
          min={0}
          max={MAX_TOKENS}
          allowDecimal={false}
          {...fields.getInputProps('maxTokens')}
        />
      </div>
      <TimeFields fields={fields} />
    </section>
  );
}

function TimeFields({ fields }: { fields: RuleForm }) {
  return (
    <>
      <Checkbox
        size="sm"
        label="Only at certain times"
        {...fields.getInputProps('timed', { type: 'checkbox' })}
      />
      {fields.values.timed && (
        <>
          <div className={classes.times}>
            <TextInput label="From" type="time" required {...fields.getInputProps('from')} />
            <TextInput label="To" type="time" required {...fields.getInputProps('to')} />
            <TextInput label="Time zone" required spellCheck={false} {...fields.getInputProps('timeZone')} />
          </div>
          <Checkbox.Group
            label="On"
            description="None: every day. A time over midnight belongs to the day on which it begins."
            {...fields.getInputProps('days')}
          >
            <div className={classes.days}>
              {DAYS.map((day, index) => (
                <Checkbox key={day} size="sm" value={String(index + 1)} label={day} />
              ))}
            </div>
          </Checkbox.Group>
        </>
      )}
    </>
  );
}
