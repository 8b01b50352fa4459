import { TextInput } from '@mantine/core';
import type { KeyRestrictions } from '@tallygate/contract/api/keys';

/** The limits as typed: each a list with commas. */
export type LimitTexts = Record<keyof KeyRestrictions, string>;

const FIELDS: { name: keyof KeyRestrictions; label: string; description: string; placeholder: string }[] = [
  {
    name: 'addresses',
    label: 'Client addresses',
    description: 'Addresses or ranges it may be used from.',
    placeholder: '10.0.0.0/8, 2001:db8::/32',
  },
  {
    name: 'models',
    label: 'Models',
    description: 'Models it may ask for; * stands for anything.',
    placeholder: 'claude-haiku-*, gpt-5-mini',
  },
  {
    name: 'providers',
    label: 'Providers',
    description: 'Providers or presets whose accounts may serve it.',
    placeholder: 'anthropic, ollama',
  },
  {
    name: 'origins',
    label: 'Web pages',
    description: 'Origins of pages that may use it. Programs, which name no origin, are refused then.',
    placeholder: 'https://app.example.com',
  },
];

const split = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

export function limitsOf(texts: LimitTexts): KeyRestrictions {
  return {
    addresses: split(texts.addresses),
    origins: split(texts.origins),
    models: split(texts.models),
    providers: split(texts.providers),
  };
}

export function limitTexts(limits: KeyRestrictions): LimitTexts {
  return {
    addresses: limits.addresses.join(', '),
    origins: limits.origins.join(', '),
    models: limits.models.join(', '),
    providers: limits.providers.join(', '),
  };
}

/** What is wrong with each field; the path of a problem is `restrictions.models.0`. */
export function limitErrors(problems: Record<string, unknown>): Partial<LimitTexts> {
  const found: Partial<LimitTexts> = {};
  for (const [path, message] of Object.entries(problems)) {
    const name = FIELDS.find((field) => path.startsWith(`restrictions.${field.name}`))?.name;
    if (name !== undefined) found[name] ??= String(message);
  }
  return found;
}

/** One field for each kind of limit; empty limits nothing. */
export function LimitFields(props: {
  values: LimitTexts;
  errors: Partial<LimitTexts>;
  onChange: (values: LimitTexts) => void;
}) {
  return FIELDS.map(({ name, ...field }) => (
    <TextInput
      key={name}
      {...field}
      value={props.values[name]}
      error={props.errors[name]}
      onChange={(event) => props.onChange({ ...props.values, [name]: event.currentTarget.value })}
      autoComplete="off"
      spellCheck={false}
    />
  ));
}
