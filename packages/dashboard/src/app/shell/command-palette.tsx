import { Modal, useMantineColorScheme } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';
import { pickFilters } from '../url/filters.ts';
import { PRESET_LABELS, PRESETS } from '../url/time-range.ts';
import { keptSearch, parseViewSearch } from '../url/view-search.ts';
import classes from './command-palette.module.css';
import { usePlaces } from './nav.tsx';

interface Command {
  id: string;
  label: string;
  group: string;
  run: () => void;
}

function useCommands(): Command[] {
  const navigate = useNavigate();
  const search = useSearch({ strict: false });
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const kept = parseViewSearch(search);
  const places = usePlaces();
  const themes = [
    ['light', 'Light theme'],
    ['dark', 'Dark theme'],
    ['auto', 'Theme like the system'],
  ] as const;
  return [
    ...places.map(({ to, label }) => ({
      id: to,
      label,
      group: 'Go to',
      run: () => void navigate({ to, search: keptSearch(to, search) }),
    })),
    {
      id: '/my-security',
      label: 'My security',
      group: 'Go to',
      run: () => void navigate({ to: '/my-security' }),
    },
    ...PRESETS.map((preset) => ({
      id: preset,
      label: `Overview of the last ${PRESET_LABELS[preset].replace(/^1 /, '')}`,
      group: 'Range',
      run: () =>
        void navigate({
          to: '/',
          search: { ...pickFilters(kept), ...(preset === '24h' ? {} : { range: preset }) },
        }),
    })),
    ...themes.map(([scheme, label]) => ({
      id: scheme,
      label,
      group: 'Theme',
      run: () => setColorScheme(scheme),
    })),
  ];
}

/** ⌘K: every place, range and theme by typing a part of its name. */
export function CommandPalette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      withCloseButton={false}
      centered={false}
      yOffset="14vh"
      padding={0}
      size={460}
      aria-label="Command palette"
    >
      <Palette onClose={onClose} />
    </Modal>
  );
}

function Palette({ onClose }: { onClose: () => void }) {
  const commands = useCommands();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const wanted = text.trim().toLowerCase();
  const shown = commands.filter((command) =>
    `${command.group} ${command.label}`.toLowerCase().includes(wanted),
  );
  const run = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') run(shown[active]);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || shown.length === 0) return;
    event.preventDefault();
    const next = (active + step + shown.length) % shown.length;
    setActive(next);
    document.getElementById(`command-${shown[next]?.id}`)?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <input
        className={classes.input}
        role="combobox"
        aria-expanded="true"
        aria-controls="command-list"
        aria-activedescendant={shown[active] ? `command-${shown[active].id}` : undefined}
        aria-label="Type a command"
        placeholder="Type a place, a range, a theme"
        data-autofocus
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="command-list" role="listbox" aria-label="Commands" className={classes.list}>
        {shown.map((command, i) => (
          <div
            key={command.id}
            id={`command-${command.id}`}
            role="option"
            aria-selected={i === active}
            tabIndex={-1}
            className={classes.option}
            onPointerMove={() => setActive(i)}
            onClick={() => run(command)}
            onKeyDown={onKeyDown}
          >
            <span>{command.label}</span>
            <span className={classes.group}>{command.group}</span>
          </div>
        ))}
        {shown.length === 0 && <p className={classes.none}>Nothing is called that.</p>}
      </div>
    </>
  );
}
