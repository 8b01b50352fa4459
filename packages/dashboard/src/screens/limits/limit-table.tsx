import { IconPencil, IconTrash } from '@tabler/icons-react';
import type { LimitView } from '@tallygate/contract/api/limits';
import { formatCount, plural } from '../../ui/format/count.ts';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { RowMenu } from '../../ui/row-menu.tsx';
import { limitText } from './limit-text.ts';

/** Every limit with the fullest of its counts right now. */
export function LimitTable(props: {
  limits: LimitView[];
  mayChange: boolean;
  onChange: (limit: LimitView) => void;
  onRemove: (limit: LimitView) => void;
}) {
  return (
    <ListTable columns={['Name', 'Allows', 'Which requests', 'Fullest now']} acts={props.mayChange}>
      {props.limits.map((limit) => (
        <tr key={limit.id}>
          <th scope="row" className={list.name}>
            {limit.name}
          </th>
          <td data-label="Allows">{limitText(limit)}</td>
          <td data-label="Which">{limit.scopeLabel}</td>
          <td data-label="Fullest">
            <Fullest limit={limit} />
          </td>
          {props.mayChange && (
            <td className={list.actions}>
              <RowMenu
                name={limit.name}
                acts={[
                  { label: 'Change', icon: IconPencil, onClick: () => props.onChange(limit) },
                  { label: 'Remove', icon: IconTrash, onClick: () => props.onRemove(limit), removes: true },
                ]}
              />
            </td>
          )}
        </tr>
      ))}
    </ListTable>
  );
}

function Fullest({ limit }: { limit: LimitView }) {
  const { fullest, counting } = limit.status;
  const [first] = fullest;
  if (first === undefined) return <>nothing counted</>;
  const others = counting > 1 ? `, and ${plural(counting - 1, 'other')}` : '';
  return (
    <>
      {formatCount(first.used)} of {formatCount(limit.limit)}
      {first.label !== '' && ` (${first.label}${others})`}
    </>
  );
}
