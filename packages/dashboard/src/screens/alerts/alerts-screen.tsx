import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { AlertRuleView } from '@tallygate/contract/api/alerts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { alertRulesQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import { useMay } from '../../app/api/use-may.ts';
import { RemoveDialog } from '../../app/manage/remove-dialog.tsx';
import { OthersNote } from '../../app/project/others-note.tsx';
import { useProjectView } from '../../app/project/use-project-view.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ListPanel } from '../../ui/list-panel.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { AlertTabs } from './alert-tabs.tsx';
import classes from './alerts.module.css';
import { RuleFormDialog } from './rule-form.tsx';
import { RuleTable } from './rule-table.tsx';
import { type RuleValues, SUGGESTIONS } from './rule-values.ts';

type Open =
  | { kind: 'new'; start?: Partial<RuleValues> }
  | { kind: 'edit' | 'remove'; rule: AlertRuleView }
  | null;

function RemoveRule({ rule, onClose }: { rule: AlertRuleView; onClose: () => void }) {
  return (
    <RemoveDialog
      what="rule"
      name={rule.name}
      path={`/api/alerts/rules/${encodeURIComponent(rule.id)}`}
      keys={['alerts']}
      done="Rule removed."
      onClose={onClose}
    >
      <p>
        Nothing is watched by it from now on. Whoever was told that it fires is told that nobody watches it
        any more. What it has told stays in the history. To stop it for a while, switch it off instead.
      </p>
    </RemoveDialog>
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
  const { chosen } = useProjectView();
  const all = rules.data?.rules ?? [];
  const shown = all.filter(
    ({ filter }) => chosen === null || filter.projects?.some((id) => chosen.includes(id)),
  );
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
      <ListPanel
        query={rules}
        what="rules"
        isEmpty={all.length === 0}
        empty={
          <NoRules
            onNew={
              manages ? (start) => setOpen({ kind: 'new', ...(start === undefined ? {} : { start }) }) : null
            }
          />
        }
      >
        {shown.length > 0 && (
          <RuleTable
            rules={shown}
            manages={manages}
            onEdit={(rule) => setOpen({ kind: 'edit', rule })}
            onRemove={(rule) => setOpen({ kind: 'remove', rule })}
          />
        )}
        <OthersNote all={all.length} shown={shown.length} what="rule" />
      </ListPanel>
      {open?.kind === 'new' && <RuleFormDialog rule={null} start={open.start} onClose={close} />}
      {open?.kind === 'edit' && <RuleFormDialog rule={open.rule} onClose={close} />}
      {open?.kind === 'remove' && <RemoveRule rule={open.rule} onClose={close} />}
    </>
  );
}
