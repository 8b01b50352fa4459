import { IconPencil, IconPlayerPause, IconPlayerPlay, IconTrash } from '@tabler/icons-react';
import type { AlertRuleView } from '@tallygate/contract/api/alerts';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { RowMenu } from '../../ui/row-menu.tsx';
import classes from './alerts.module.css';
import { useAlertChange } from './use-alert-change.ts';

interface Props {
  rules: AlertRuleView[];
  manages: boolean;
  onEdit: (rule: AlertRuleView) => void;
  onRemove: (rule: AlertRuleView) => void;
}

function Standing({ rule }: { rule: AlertRuleView }) {
  if (!rule.enabled) return <span className={classes.mark}>off</span>;
  const [first] = rule.firing;
  if (first === undefined)
    return (
      <span className={classes.mark} data-tone="good">
        calm
      </span>
    );
  return (
    <span>
      <span className={classes.mark} data-tone={rule.severity === 'critical' ? 'bad' : 'warn'}>
        fires{rule.firing.length > 1 ? ` (${rule.firing.length})` : ''}
      </span>{' '}
      <Ago at={first.since} />
    </span>
  );
}

function RuleRow({ rule, manages, onEdit, onRemove }: Omit<Props, 'rules'> & { rule: AlertRuleView }) {
  const api = useApi();
  const toggle = useAlertChange(
    (enabled: boolean) =>
      api.send<AlertRuleView>('PATCH', `/api/alerts/rules/${encodeURIComponent(rule.id)}`, { enabled }),
    { done: ({ name, enabled }) => `${name} is ${enabled ? 'on' : 'off'}.` },
  );
  return (
    <tr data-muted={!rule.enabled}>
      <th scope="row" className={list.name}>
        <div>
          {rule.name}
          <p className={classes.sentence}>{rule.sentence}</p>
          <FormError error={toggle.error} />
        </div>
      </th>
      <td data-label="State">
        <Standing rule={rule} />
      </td>
      <td data-label="Tells">
        {rule.channelIds.length === 0
          ? 'nobody'
          : rule.channelIds.length === 1
            ? 'one channel'
            : `${rule.channelIds.length} channels`}
      </td>
      <td data-label="Last">{rule.lastFiredAt === null ? 'never' : <Ago at={rule.lastFiredAt} />}</td>
      {manages && (
        <td className={list.actions}>
          <RowMenu
            name={rule.name}
            acts={[
              { label: 'Change', icon: IconPencil, onClick: () => onEdit(rule) },
              rule.enabled
                ? { label: 'Switch off', icon: IconPlayerPause, onClick: () => toggle.mutate(false) }
                : { label: 'Switch on', icon: IconPlayerPlay, onClick: () => toggle.mutate(true) },
              { label: 'Remove', icon: IconTrash, onClick: () => onRemove(rule), removes: true },
            ]}
          />
        </td>
      )}
    </tr>
  );
}

/** Every rule in a sentence, and how it stands. */
export function RuleTable({ rules, ...rest }: Props) {
  return (
    <ListTable columns={['Rule', 'State', 'Tells', 'Last fired']} acts={rest.manages}>
      {rules.map((rule) => (
        <RuleRow key={rule.id} rule={rule} {...rest} />
      ))}
    </ListTable>
  );
}
