import { Menu } from '@mantine/core';
import {
  IconDots,
  IconFilter,
  IconListSearch,
  IconPencil,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import { Link } from '@tanstack/react-router';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { useNow } from '../../ui/use-now.ts';
import { keyState, SCOPE_TEXT } from './scopes.ts';

interface Props {
  keys: ApiKeyView[];
  onRename: (key: ApiKeyView) => void;
  onLimit: (key: ApiKeyView) => void;
  onRotate: (key: ApiKeyView) => void;
  onRevoke: (key: ApiKeyView) => void;
}

/** Every key, those that work first. On a phone each row becomes a small block with its labels. */
export function KeyTable({ keys, ...acts }: Props) {
  const now = useNow(30_000);
  const ordered = [...keys].sort(
    (a, b) => Number(keyState(a, now) !== 'active') - Number(keyState(b, now) !== 'active'),
  );
  return (
    <ListTable columns={['Name', 'Key', 'Can', 'Project', 'Last used', 'Expires']} acts>
      {ordered.map((key) => (
        <KeyRow key={key.id} apiKey={key} state={keyState(key, now)} {...acts} />
      ))}
    </ListTable>
  );
}

const limitCount = ({ restrictions }: ApiKeyView): number => Object.values(restrictions).flat().length;

function KeyRow(props: { apiKey: ApiKeyView; state: ReturnType<typeof keyState> } & Omit<Props, 'keys'>) {
  const { apiKey, state } = props;
  return (
    <tr data-muted={state !== 'active'}>
      <th scope="row" className={list.name}>
        {apiKey.name}
        {state !== 'active' && <span className={list.state}>{state}</span>}
      </th>
      <td data-label="Key">
        <code>{apiKey.prefix}…</code>
        {apiKey.previous !== null && (
          <div className={list.state}>
            <code>{apiKey.previous.prefix}…</code> ends <Ago at={apiKey.previous.expiresAt} />
          </div>
        )}
      </td>
      <td data-label="Can">
        {apiKey.scopes.map((scope) => SCOPE_TEXT[scope].label.toLowerCase()).join(', ')}
        {limitCount(apiKey) > 0 && <span className={list.state}>limited</span>}
      </td>
      <td data-label="Project">{apiKey.project.slug}</td>
      <td data-label="Last used">{apiKey.lastUsedAt === null ? 'never' : <Ago at={apiKey.lastUsedAt} />}</td>
      <td data-label="Expires">{apiKey.expiresAt === null ? 'never' : <Ago at={apiKey.expiresAt} />}</td>
      <td className={list.actions}>
        <Menu position="bottom-end" width={180} shadow="md" withinPortal>
          <Menu.Target>
            <button type="button" className={list.more} aria-label={`Actions for ${apiKey.name}`}>
              <IconDots size={18} aria-hidden />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              component={Link}
              to="/requests"
              search={{ key: [apiKey.id] } as never}
              leftSection={<IconListSearch size={16} aria-hidden />}
            >
              Its requests
            </Menu.Item>
            {state !== 'revoked' && (
              <>
                <Menu.Item
                  leftSection={<IconPencil size={16} aria-hidden />}
                  onClick={() => props.onRename(apiKey)}
                >
                  Rename
                </Menu.Item>
                <Menu.Item
                  leftSection={<IconFilter size={16} aria-hidden />}
                  onClick={() => props.onLimit(apiKey)}
                >
                  Limits
                </Menu.Item>
                {state === 'active' && apiKey.kind === 'issued' && (
                  <Menu.Item
                    leftSection={<IconRefresh size={16} aria-hidden />}
                    onClick={() => props.onRotate(apiKey)}
                  >
                    Rotate
                  </Menu.Item>
                )}
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => props.onRevoke(apiKey)}
                >
                  Revoke
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  );
}
