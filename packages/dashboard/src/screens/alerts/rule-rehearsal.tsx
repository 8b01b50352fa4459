import { Button } from '@mantine/core';
import type { AlertRehearsal, AlertRuleView } from '@tallygate/contract/api/alerts';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { formatShort } from '../../ui/format/time.ts';
import classes from './alerts.module.css';
import { type RuleValues, toRuleRequest } from './rule-values.ts';

function Told({ result }: { result: AlertRehearsal }) {
  if (result.told === null) return <p className={classes.note}>That cannot be said. {result.reason}</p>;
  const times = result.told === 0 ? 'never' : result.told === 1 ? 'once' : `${result.told} times`;
  return (
    <>
      <p className={classes.note}>
        In the last {result.days} days it would have told people <b>{times}</b>.
      </p>
      {result.last.length > 0 && (
        <ul className={classes.rehearsal}>
          {result.last.map(({ at, title }) => (
            <li key={`${at} ${title}`}>
              {title} <span className={classes.meta}>{formatShort(Date.parse(at))}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** How often a rule would have told people of late, before anybody is told anything. */
export function RuleRehearsal({ values, rule }: { values: RuleValues; rule: AlertRuleView | null }) {
  const api = useApi();
  const asked = JSON.stringify(toRuleRequest(values, rule));
  const rehearse = useMutation({
    mutationFn: async (text: string) => {
      const { environment, filter, condition, cooldownMinutes } = JSON.parse(text) as AlertRuleView;
      const body = { environment, filter, condition, cooldownMinutes };
      return { text, result: await api.send<AlertRehearsal>('POST', '/api/alerts/rules/rehearse', body) };
    },
  });
  // What was said of an earlier form is not true of this one.
  const shown = rehearse.data?.text === asked ? rehearse.data.result : null;
  return (
    <div>
      <Button
        size="compact-sm"
        variant="default"
        loading={rehearse.isPending}
        onClick={() => rehearse.mutate(asked)}
      >
        Try it on the last 7 days
      </Button>
      <div aria-live="polite">
        {shown !== null && <Told result={shown} />}
        <FormError error={rehearse.variables === asked ? rehearse.error : null} />
      </div>
    </div>
  );
}
