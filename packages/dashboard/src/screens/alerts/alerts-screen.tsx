import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { AlertRuleView } from '@tallygate/contract/api/alerts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { alertRulesQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import { useMay } from '../../app/api/use-may.ts';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { AlertTabs } from './alert-tabs.tsx';
import classes from './alerts.module.css';
import { RuleFormDialog } from './rule-form.tsx';
import { RuleTable } from './rule-table.tsx';
import { type RuleValues, SUGGESTIONS } from './rule-values.ts';
import { useAlertChange } from './use-alert-change.ts';

type Open =
  | { kind: 'new'; start?: Partial<RuleValues> }
  | { kind: 'edit' | 'remove'; rule: AlertRuleView }
  | null;

function RemoveRule({ rule, onClose }: { rule: AlertRuleView; onClose: () => void }) {
  const api = useApi();
  const remove = useAlertChange(
    (id: string) => api.send('DELETE', `/api/alerts/rules/${encodeURIComponent(id)}`),
    { done: 'Rule removed.', onDone: onClose },
  );
  return (
    <ConfirmByName
      title="Remove rule"
      name={rule.name}
      action="Remove rule"
      consequences={
        <p>
          Nothing is watched by it from now on, and what fires at the moment is not told to be over. What it
          has told stays in the history. To stop it for a while, switch it off instead.
        </p>
      }
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(rule.id)}
      onClose={onClose}
    />
  );
}

function NoRules({ onNew }: { onNew: ((start?: Partial<RuleValues>) => void) | null }) {
  return (
    <EmptyState
      title="No rules yet"
      text="A rule watches one thing and tells people once when it happens, and once more when it is over. Begin with one of these, or with your own."
      action={
        onNew !== null && (
          <div className={classes.suggestions}>
            {SUGGESTIONS.map(({ label, values }) => (
              <Button key={label} size="sm" variant="default" onClick={() => onNew(values)}>
                {label}
              </Button>
            ))}
          </div>
        )
      }
    />
  );
}

/** What is watched, in sentences, and what fires. */
export function AlertsScreen() {
  useTitle('Alerts');
  const rules = useQuery(alertRulesQuery(useApi()));
  const manages = useMay()('alerts.manage');
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const all = rules.data?.rules ?? [];
  return (
    <>
      <PageHeader title="Alerts">
        {manages && (
          <Button
            size="sm"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setOpen({ kind: 'new' })}
          >
            New rule
          </Button>
        )}
      </PageHeader>
      <AlertTabs />
      <div className={panel.panel}>
        {rules.isPending && (
          <div className={classes.state} aria-busy="true">
            <span className="sr-only">Loading the rules</span>
            <SkeletonLines lines={5} />
          </div>
        )}
        {rules.isError && !rules.data && (
          <ErrorState error={rules.error} onRetry={() => void rules.refetch()} />
        )}
        {rules.data && all.length === 0 && (
          <NoRules
            onNew={
              manages ? (start) => setOpen({ kind: 'new', ...(start === undefined ? {} : { start }) }) : null
            }
          />
        )}
        {all.length > 0 && (
          <RuleTable
            rules={all}
            manages={manages}
            onEdit={(rule) => setOpen({ kind: 'edit', rule })}
            onRemove={(rule) => setOpen({ kind: 'remove', rule })}
          />
        )}
      </div>
      {open?.kind === 'new' && <RuleFormDialog rule={null} start={open.start} onClose={close} />}
      {open?.kind === 'edit' && <RuleFormDialog rule={open.rule} onClose={close} />}
      {open?.kind === 'remove' && <RemoveRule rule={open.rule} onClose={close} />}
    </>
  );
}
