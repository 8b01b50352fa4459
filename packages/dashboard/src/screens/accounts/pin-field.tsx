import { Textarea } from '@mantine/core';
import type { ReactNode } from 'react';
import { parsePatterns } from './provider-choice.ts';

/** As the API takes them: one a line or separated by commas, with or without the prefix that curl writes. */
export const pinsOf = (text: string): string[] =>
  parsePatterns(text).map((pin) => pin.replace(/^sha256\/\//, ''));

interface Field {
  value?: string;
  onChange: (value: never) => void;
  error?: ReactNode;
}

/** The public keys that an upstream may have. */
export function PinField(field: Field) {
  return (
    <Textarea
      label="Pinned public keys"
      description="SHA-256 of the public key of its certificate in base64, one a line, as curl --pinnedpubkey takes it; https only. With any other key nothing is sent. Name the next key before the upstream changes to it. Empty: any valid certificate."
      placeholder="sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      rows={2}
      spellCheck={false}
      autoComplete="off"
      {...field}
    />
  );
}
