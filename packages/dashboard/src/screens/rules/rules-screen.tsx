import { Button, Checkbox } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus } from '@tabler/icons-react';
import type { RuleView } from '@tallygate/contract/api/rules';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { rulesQuery } from '../../app/api/pool-queries.ts';
import { namesOf, useChoices } from '../../app/api/use-choices.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { ConfirmByName } from '../../ui/confirm-by-name.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { UpstreamTabs } from '../../ui/section-tabs.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { RuleForm } from './rule-form.tsx';
import { partLines } from './rule-text.ts';
import classes from './rules-screen.module.css';
import { TestRules } from './test-rules.tsx';

type Open = { kind: 'add' } | { kind: 'edit' | 'remove'; rule: RuleView } | null;

/** What becomes of requests before an account is chosen, in the order in which rules are tried. */
export function RulesScreen() {
  useTitle('Rules');
  const rules = useQuery(rulesQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const all = rules.data?.rules ?? [];
  const add = (
    <Button
      size="sm"
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setOpen({ kind: 'add' })}
    >
      Add rule
    </Button>
  );
  return (
    <>
      <PageHeader title="Rules">{add}</PageHeader>
      <UpstreamTabs />
      <p className={classes.note}>
        The first rule whose conditions all hold applies to a request, and no other.
      </p>
      <div className={panel.panel}>
        {rules.isPending && (
          <div className={classes.state} aria-busy="true">
            <span className="sr-only">Loading the rules</span>
            <SkeletonLines lines={4} />
          </div>
        )}
        {rules.isError && !rules.data && (
          <ErrorState error={rules.error} onRetry={() => void rules.refetch()} />
        )}
        {rules.data && all.length === 0 && (
          <EmptyState
            title="No rules"
            text="Requests go where accounts and models lead. A rule can ask for another model, choose a pool, chain fallbacks, lower the output limit, change headers, or refuse."
            action={add}
          />
        )}
        {all.length > 0 && <RuleTable rules={all} onOpen={setOpen} />}
      </div>
      <TestRules />
      {open?.kind === 'add' && <RuleForm rule={null} onClose={close} />}
      {open?.kind === 'edit' && <RuleForm rule={open.rule} onClose={close} />}
      {open?.kind === 'remove' && <RemoveRule rule={open.rule} onClose={close} />}
    </>
  );
}

function useRuleChange() {
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: ({ send }: { send: () => Promise<unknown>; done: string }) => send(),
    onSuccess: async (_, { done }) => {
      announce(done);
      await queryClient.invalidateQueries({ queryKey: ['rules'] });
    },
    onError: (error) => announce(error.message, 'bad'),
  });
}

function RuleTable({ rules, onOpen }: { rules: RuleView[]; onOpen: (open: Open) => void }) {
  const api = useApi();
  const change = useRuleChange();
  const names = namesOf(useChoices());
  const move = (index: number, by: number): void => {
    const ids = rules.map(({ id }) => id);
    const [moved = ''] = ids.splice(index, 1);
    ids.splice(index + by, 0, moved);
    const send = () => api.send('POST', '/api/rules/order', { ids });
    change.mutate({ send, done: `${rules[index]?.name} is now number ${index + by + 1}.` });
  };
  const enable = (rule: RuleView, enabled: boolean): void => {
    const send = () => api.send('PATCH', `/api/rules/${encodeURIComponent(rule.id)}`, { enabled });
    change.mutate({ send, done: `${rule.name} is ${enabled ? 'on' : 'off'}.` });
  };
  return (
    <ListTable columns={['Rule', 'When', 'Then', 'On']} acts>
      {rules.map((rule, index) => (
        <tr key={rule.id} data-muted={!rule.enabled}>
          <th scope="row" className={list.name}>
            {index + 1}. {rule.name}
          </th>
          <td data-label="When">
            <Parts lines={partLines(rule.conditions, names)} none="every request" />
          </td>
          <td data-label="Then">
            <Parts lines={partLines(rule.actions, names)} none="nothing" />
          </td>
          <td data-label="On">
            <Checkbox
              size="sm"
              aria-label={`${rule.name} is on`}
              checked={rule.enabled}
              disabled={change.isPending}
              onChange={(event) => enable(rule, event.currentTarget.checked)}
            />
          </td>
          <td className={`${list.actions} ${list.below}`}>
            <span className={list.buttons}>
              <Mover
                label={`Try ${rule.name} earlier`}
                disabled={index === 0 || change.isPending}
                onClick={() => move(index, -1)}
                up
              />
              <Mover
                label={`Try ${rule.name} later`}
                disabled={index === rules.length - 1 || change.isPending}
                onClick={() => move(index, 1)}
              />
              <Button size="xs" variant="default" onClick={() => onOpen({ kind: 'edit', rule })}>
                Edit<span className="sr-only"> {rule.name}</span>
              </Button>
              <Button size="xs" variant="default" onClick={() => onOpen({ kind: 'remove', rule })}>
                Remove<span className="sr-only"> {rule.name}</span>
              </Button>
            </span>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}

function Parts({ lines, none }: { lines: string[]; none: string }) {
  return (
    <span className={classes.parts}>
      {lines.length === 0 ? none : lines.map((line) => <span key={line}>{line}</span>)}
    </span>
  );
}

function Mover(props: { label: string; disabled: boolean; onClick: () => void; up?: boolean }) {
  const Icon = props.up ? IconArrowUp : IconArrowDown;
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon size={14} aria-hidden />
    </Button>
  );
}

function RemoveRule({ rule, onClose }: { rule: RuleView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `/api/rules/${encodeURIComponent(rule.id)}`),
    onSuccess: async () => {
      onClose();
      announce('Rule removed. What it did stays with its requests.');
      await queryClient.invalidateQueries({ queryKey: ['rules'] });
    },
  });
  return (
    <ConfirmByName
      title="Remove rule"
      name={rule.name}
      action="Remove rule"
      consequences={<p>Requests go by the other rules from now on. To stop it for a while, switch it off.</p>}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
