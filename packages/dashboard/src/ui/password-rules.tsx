import { IconCheck, IconPoint } from '@tabler/icons-react';
import classes from './form.module.css';
import type { PasswordRule } from './password-rule-list.ts';

/** The rules of a password, ticked off while typing. */
export function PasswordRules({ id, rules }: { id: string; rules: readonly PasswordRule[] }) {
  return (
    <ul id={id} className={classes.rules}>
      {rules.map((rule) => (
        <li key={rule.text} className={classes.rule} data-met={rule.met}>
          {rule.met ? (
            <IconCheck size={14} aria-label="met:" />
          ) : (
            <IconPoint size={14} aria-label="not met:" />
          )}
          {rule.text}
        </li>
      ))}
    </ul>
  );
}
