import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import classes from './code-block.module.css';

/** Code to be copied whole. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  const clipboard = useClipboard({ timeout: 1800 });
  return (
    <div className={classes.root}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, and the keyboard has to reach that */}
      <pre className={classes.pre} tabIndex={0}>
        {code}
      </pre>
      <button
        type="button"
        className={classes.copy}
        onClick={() => clipboard.copy(code)}
        aria-label={`Copy: ${label}`}
      >
        {clipboard.copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
        <span aria-live="polite">{clipboard.copied ? 'Copied' : 'Copy'}</span>
      </button>
    </div>
  );
}
