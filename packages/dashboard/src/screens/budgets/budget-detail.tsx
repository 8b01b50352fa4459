import { Modal } from '@mantine/core';
import type { BudgetHistoryView, BudgetHoldsView, BudgetView } from '@tallygate/contract/api/budgets';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useApi } from '../../app/api/api-context.tsx';
import { budgetHistoryQuery, budgetHoldsQuery } from '../../app/api/money-queries.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { formatAbsolute, formatShort } from '../../ui/format/time.ts';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { allowanceText, amountText, MODE_TEXT } from './budget-text.ts';
import classes from './budgets.module.css';

/** What a budget is, what earlier windows came to, who used this one, and what is held right now. */
export function BudgetDetail({ budget, onClose }: { budget: BudgetView; onClose: () => void }) {
  const api = useApi();
  const history = useQuery(budgetHistoryQuery(api, budget.id));
  const holds = useQuery(budgetHoldsQuery(api, budget.id));
  return (
    <Modal opened onClose={onClose} title={budget.name} size={560}>
      <div className={classes.parts}>
        <Facts budget={budget} />
        <section aria-label="Held now">
          <h3>Held now</h3>
          {holds.isPending && <SkeletonLines lines={2} />}
          {holds.isError && !holds.data && (
            <ErrorState error={holds.error} onRetry={() => void holds.refetch()} />
          )}
          {holds.data && <Holds budget={budget} holds={holds.data.holds} />}
        </section>
        {history.isPending && <SkeletonLines lines={5} />}
        {history.isError && !history.data && (
          <ErrorState error={history.error} onRetry={() => void history.refetch()} />
        )}
        {history.data && <History budget={budget} history={history.data} />}
        <section aria-label="From the command line">
          <h3>From the command line</h3>
          <CodeBlock code={`tallygate budgets show ${budget.id}`} label="the command" />
        </section>
      </div>
    </Modal>
  );
}

const UNPRICED_TEXT: Readonly<Record<BudgetView['unpriced'], string>> = {
  refuse: 'are refused',
  allow: 'pass and count as nothing',
  provisional: 'count at a provisional price',
};

function Facts({ budget }: { budget: BudgetView }) {
  const { status, provisionalUsdPerMtok } = budget;
  return (
    <dl className={classes.facts}>
      <dt>Allows</dt>
      <dd>{allowanceText(budget)}</dd>
      <dt>Counts</dt>
      <dd>{budget.scopeLabel}</dd>
      <dt>Does</dt>
      <dd>{MODE_TEXT[budget.mode]}</dd>
      <dt>{budget.sliding ? 'All that counts will have left' : 'Starts anew'}</dt>
      <dd>
        {status.resetsAt === null ? 'never' : <Ago at={status.resetsAt} />}
        {budget.timeZone !== 'UTC' && ` (${budget.timeZone})`}
      </dd>
      {budget.measure === 'usd' && (
        <>
          <dt>Without a price</dt>
          <dd>
            models {UNPRICED_TEXT[budget.unpriced]}
            {provisionalUsdPerMtok !== null && `, $${provisionalUsdPerMtok} for a million tokens`}
          </dd>
        </>
      )}
    </dl>
  );
}

function Holds({ budget, holds }: { budget: BudgetView; holds: BudgetHoldsView['holds'] }) {
  if (holds.length === 0) return <p className={classes.none}>No request is on its way.</p>;
  return (
    <table className={classes.rows}>
      <thead className="sr-only">
        <tr>
          <th scope="col">Request</th>
          <th scope="col">Held</th>
        </tr>
      </thead>
      <tbody>
        {holds.map(({ requestId, startedAt, budgets }) => (
          <tr key={requestId}>
            <td>
              <code>{requestId}</code>, began <Ago at={startedAt} />
            </td>
            <td>{amountText(budget.measure, budgets[0]?.held ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function History({ budget, history }: { budget: BudgetView; history: BudgetHistoryView }) {
  const { measure } = budget;
  return (
    <>
      <section aria-label="Who used it">
        <h3>Who used it</h3>
        {history.users.length === 0 && <p className={classes.none}>Nobody yet in this window.</p>}
        {history.users.length > 0 && (
          <table className={classes.rows}>
            <tbody>
              {history.users.map(({ kind, id, label, spent }) => (
                <tr key={`${kind} ${id}`}>
                  <td>
                    {kind === 'key' ? (
                      <Link to="/requests" search={{ key: [id] } as never}>
                        {label}
                      </Link>
                    ) : (
                      label
                    )}
                  </td>
                  <td>{amountText(measure, spent)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section aria-label="Windows">
        <h3>Windows</h3>
        <table className={classes.rows}>
          <tbody>
            {history.windows.map(({ start, spent }, i) => (
              <tr key={start}>
                <td title={formatAbsolute(Date.parse(start))}>
                  from {formatShort(Date.parse(start))}
                  {i === 0 && ', now'}
                </td>
                <td>{amountText(measure, spent)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
