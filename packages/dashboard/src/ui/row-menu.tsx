import { Menu } from '@mantine/core';
import { IconDots, type TablerIcon } from '@tabler/icons-react';
import list from './list-table.module.css';

/** One thing that can be done with a row. */
export interface RowAct {
  label: string;
  icon: TablerIcon;
  onClick: () => void;
  /** It takes something away. */
  removes?: boolean;
}

/** The menu at the end of a row. */
export function RowMenu({ name, acts }: { name: string; acts: readonly RowAct[] }) {
  return (
    <Menu position="bottom-end" shadow="md" withinPortal>
      <Menu.Target>
        <button type="button" className={list.more} aria-label={`Actions for ${name}`}>
          <IconDots size={17} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {acts.map(({ label, icon: Icon, onClick, removes = false }) => (
          <Menu.Item
            key={label}
            leftSection={<Icon size={15} aria-hidden />}
            onClick={onClick}
            {...(removes ? { color: 'red' } : {})}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
