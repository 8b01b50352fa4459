import { Popover } from '@mantine/core';
import { IconFilter, IconX } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { countFilters, FILTER_NAMES, type FilterName, type Filters, toggleFilter } from '../url/filters.ts';
import classes from './filter-bar.module.css';
import { FILTER_LABELS, type FilterOption, type FilterOptions } from './filter-options.ts';

/** Not a part of the first load: what is chosen is read from the chips, and the list is open only for a change. */
const loadOptionList = () => import('./filter-option-list.tsx');
const OptionList = lazy(async () => ({ default: (await loadOptionList()).FilterOptionList }));

interface Props {
  filters: Filters;
  options: FilterOptions;
  onChange: (filters: Filters) => void;
}

/** What narrows the view: a chip each, and one button to add more. */
export function FilterBar({ filters, options, onChange }: Props) {
  const chips = FILTER_NAMES.flatMap((name) => (filters[name] ?? []).map((value) => ({ name, value })));
  const label = (name: FilterName, value: string): string =>
    options[name].find((option) => option.value === value)?.label ?? value;
  return (
    <fieldset className={classes.bar} aria-label="Filters">
      <FilterButton filters={filters} options={options} onChange={onChange} />
      {chips.map(({ name, value }) => (
        <button
          key={`${name}:${value}`}
          type="button"
          className={classes.chip}
          onClick={() => onChange(toggleFilter(filters, name, value))}
          aria-label={`Remove the filter ${FILTER_LABELS[name]} ${label(name, value)}`}
        >
          <span className={classes.chipName}>{FILTER_LABELS[name]}</span>
          <span className={classes.chipValue}>{label(name, value)}</span>
          <IconX size={13} aria-hidden />
        </button>
      ))}
      {chips.length > 1 && (
        <button type="button" className={classes.clear} onClick={() => onChange({})}>
          Clear
        </button>
      )}
    </fieldset>
  );
}

function FilterButton({ filters, options, onChange }: Props) {
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState<FilterName>('model');
  const count = countFilters(filters);
  return (
    <Popover
      width="min(400px, calc(100vw - 32px))"
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      shadow="md"
      trapFocus
      withinPortal
    >
      <Popover.Target>
        <button
          type="button"
          className={classes.button}
          aria-expanded={opened}
          onPointerEnter={() => void loadOptionList()}
          onFocus={() => void loadOptionList()}
          onClick={() => setOpened((open) => !open)}
        >
          <IconFilter size={15} stroke={1.8} aria-hidden />
          Filter{count > 0 ? ` · ${count}` : ''}
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.dropdown} aria-label="Add a filter">
        <fieldset className={classes.names} aria-label="Filter by">
          {(Object.keys(FILTER_LABELS) as FilterName[]).map((item) => (
            <button
              key={item}
              type="button"
              className={classes.name}
              aria-pressed={item === name}
              onClick={() => setName(item)}
            >
              {FILTER_LABELS[item]}
              {filters[item] && <span className={classes.nameCount}>{filters[item].length}</span>}
            </button>
          ))}
        </fieldset>
        <Suspense fallback={<SkeletonLines lines={4} />}>
          <OptionList
            key={name}
            label={FILTER_LABELS[name]}
            options={withChosen(options[name], filters[name])}
            chosen={filters[name] ?? []}
            onToggle={(value) => onChange(toggleFilter(filters, name, value))}
          />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  );
}

/** A value from a link may be absent from the options; it still has to be seen to be taken away. */
function withChosen(options: FilterOption[], chosen: string[] = []): FilterOption[] {
  const missing = chosen.filter((value) => !options.some((option) => option.value === value));
  return [...options, ...missing.map((value) => ({ value, label: value }))];
}
