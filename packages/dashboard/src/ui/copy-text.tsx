import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import classes from './copy-text.module.css';

/** Text that is copied by a click on it: ids, keys, exact amounts. */
export function CopyText(props: { text: string; label: string; shown?: string }) {
  const clipboard = useClipboard({ timeout: 1600 });
  return (
    <button
      type="button"
      className={classes.copy}
      onClick={() => clipboard.copy(props.text)}
      aria-label={`Copy ${props.label}`}
      title={`Copy ${props.label}`}
    >
      <code className={classes.text}>{props.shown ?? props.text}</code>
      {clipboard.copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      <span className="sr-only" aria-live="polite">
        {clipboard.copied ? 'Copied' : ''}
      </span>
    </button>
  );
}
