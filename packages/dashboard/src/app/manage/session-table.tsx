import { Button } from '@mantine/core';
import type { SessionView } from '@tallygate/contract/api/auth';
import { browserName } from '../../ui/browser-name.ts';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { methodText } from '../../ui/sign-in-method.ts';

interface Props {
  sessions: readonly SessionView[];
  /** Sessions of several people: each row begins with whose it is. */
  named: boolean;
  onEnd: (id: string) => void;
}

const addressOf = ({ address }: SessionView, unknown: string): string => address ?? unknown;

/** Where somebody is signed in, and by what; each but the one in use can be ended. */
export function SessionTable({ sessions, named, onEnd }: Props) {
  return (
    <ListTable
      columns={[
        named ? 'Name' : 'Browser',
        'Signed in by',
        named && 'Browser',
        'Address',
        'Last used',
        'Since',
      ]}
      acts
    >
      {sessions.map((session) => (
        <SessionRow key={session.id} session={session} named={named} onEnd={onEnd} />
      ))}
    </ListTable>
  );
}

function SessionRow({ session, named, onEnd }: Omit<Props, 'sessions'> & { session: SessionView }) {
  const browser = browserName(session.userAgent);
  const whose = named ? ` of ${session.user.username}` : '';
  return (
    <tr>
      <th scope="row" className={list.name}>
        {named ? session.user.username : browser}{' '}
        {session.current && <span className={list.state}>this one</span>}
      </th>
      <td data-label="By">{methodText(session.method)}</td>
      {named && <td data-label="Browser">{browser}</td>}
      <td data-label="Address">{addressOf(session, 'unknown')}</td>
      <td data-label="Last used">
        <Ago at={session.lastSeenAt} />
      </td>
      <td data-label="Since">
        <Ago at={session.createdAt} />
      </td>
      <td className={list.actions}>
        {!session.current && (
          <Button
            size="xs"
            variant="default"
            onClick={() => onEnd(session.id)}
            aria-label={`End the session${whose} from ${addressOf(session, 'an unknown address')}`}
          >
            End
          </Button>
        )}
      </td>
    </tr>
  );
}
