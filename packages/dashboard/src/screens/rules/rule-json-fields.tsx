import { Textarea } from '@mantine/core';
import { CodeBlock } from '../../ui/code-block.tsx';
import type { RuleForm } from './rule-form.tsx';

const EXAMPLE = `{ "models": ["claude-opus-*"], "systemContains": ["You are a code reviewer"] }
{ "model": "claude-haiku-4-5", "fallbacks": [{ "model": "claude-sonnet-4-5" }] }`;
const MONOSPACE = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } };

/** A rule as it is stored, for what fields cannot hold and for copying. */
export function RuleJsonFields({ fields }: { fields: RuleForm }) {
  return (
    <>
      <Textarea
        label="When all of this holds"
        description="JSON. Empty braces match every request."
        rows={6}
        spellCheck={false}
        styles={MONOSPACE}
        {...fields.getInputProps('conditionsJson')}
      />
      <Textarea
        label="Do this"
        description="JSON: model, pool, setHeaders, removeHeaders, maxOutputTokens, fallbacks, ownKey or deny."
        rows={6}
        spellCheck={false}
        styles={MONOSPACE}
        {...fields.getInputProps('actionsJson')}
      />
      <CodeBlock code={EXAMPLE} label="an example of both" />
    </>
  );
}
