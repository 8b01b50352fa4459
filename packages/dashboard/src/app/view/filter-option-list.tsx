import { Checkbox } from '@mantine/core';
import { useState } from 'react';
import classes from './filter-bar.module.css';
import type { FilterOption } from './filter-options.ts';

interface Props {
  label: string;
  options: FilterOption[];
  chosen: string[];
  onToggle: (value: string) => void;
}

/** What one filter can be narrowed to, to be ticked. */
export function FilterOptionList(props: Props) {
  const [text, setText] = useState('');
  const shown = props.options.filter((option) =>
    option.label.toLowerCase().includes(text.trim().toLowerCase()),
  );
  return (
    <div className={classes.options}>
      {props.options.length > 8 && (
        <input
          className={classes.search}
          type="search"
          placeholder={`Find a ${props.label.toLowerCase()}`}
          aria-label={`Find a ${props.label.toLowerCase()}`}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <div className={classes.list}>
        {shown.map((option) => (
          <Checkbox
            key={option.value}
            size="sm"
            className={classes.option}
            label={option.label}
            checked={props.chosen.includes(option.value)}
            onChange={() => props.onToggle(option.value)}
          />
        ))}
        {shown.length === 0 && <p className={classes.none}>Nothing to choose from in this range.</p>}
      </div>
    </div>
  );
}
