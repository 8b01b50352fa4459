import { ActionIcon, Button, Popover } from '@mantine/core';
import { IconCalendar, IconX } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { formatShort } from '../../ui/format/time.ts';
import { PRESET_LABELS, PRESETS, type RangeSearch, type ResolvedRange } from '../url/time-range.ts';
import classes from './range-picker.module.css';

/** Presets one click away, any two instants behind the calendar. The choice goes into the URL. */
export function RangePicker(props: { range: ResolvedRange; onChange: (range: RangeSearch) => void }) {
  const { range, onChange } = props;
  const [opened, setOpened] = useState(false);
  return (
    <fieldset className={classes.picker} aria-label="Time range">
      {range.preset === null && (
        <span className={classes.custom}>
          {formatShort(range.fromMs)} – {formatShort(range.toMs)}
          <ActionIcon
            size={22}
            variant="subtle"
            color="gray"
            onClick={() => onChange({})}
            aria-label="Back to the last 24 hours"
          >
            <IconX size={14} />
          </ActionIcon>
        </span>
      )}
      <div className={classes.presets}>
        {PRESETS.map((preset) => (
          <button
            key={preset}
            type="button"
            className={classes.preset}
            aria-pressed={range.preset === preset}
            aria-label={`Last ${PRESET_LABELS[preset]}`}
            onClick={() => onChange({ range: preset })}
          >
            {preset}
          </button>
        ))}
        <Popover
          opened={opened}
          onChange={setOpened}
          position="bottom-end"
          shadow="md"
          trapFocus
          withinPortal
        >
          <Popover.Target>
            <button
              type="button"
              className={classes.preset}
              aria-label="Custom range"
              aria-expanded={opened}
              aria-pressed={range.preset === null}
              onClick={() => setOpened((open) => !open)}
            >
              <IconCalendar size={16} stroke={1.7} aria-hidden />
            </button>
          </Popover.Target>
          <Popover.Dropdown>
            <CustomRange
              range={range}
              onApply={(next) => {
                setOpened(false);
                onChange(next);
              }}
            />
          </Popover.Dropdown>
        </Popover>
      </div>
    </fieldset>
  );
}

function CustomRange(props: { range: ResolvedRange; onApply: (range: RangeSearch) => void }) {
  const [from, setFrom] = useState(toLocalInput(props.range.fromMs));
  const [to, setTo] = useState(toLocalInput(props.range.toMs));
  const valid = from !== '' && to !== '' && Date.parse(from) < Date.parse(to);
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    if (valid) props.onApply({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  };
  return (
    <form className={classes.form} onSubmit={apply}>
      <label className={classes.field}>
        From
        <input
          type="datetime-local"
          value={from}
          onChange={(e) => setFrom(e.currentTarget.value)}
          data-autofocus
        />
      </label>
      <label className={classes.field}>
        To
        <input type="datetime-local" value={to} onChange={(e) => setTo(e.currentTarget.value)} />
      </label>
      <p className={classes.hint}>{valid ? 'In your local time.' : 'The end has to be after the start.'}</p>
      <Button type="submit" size="xs" disabled={!valid}>
        Show this range
      </Button>
    </form>
  );
}

function toLocalInput(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
