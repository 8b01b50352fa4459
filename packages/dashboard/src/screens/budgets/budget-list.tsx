import { IconListDetails, IconPencil, IconTrash } from '@tabler/icons-react';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import { formatAbsolute, formatAgo } from '../../ui/format/time.ts';
import { type RowAct, RowMenu } from '../../ui/row-menu.tsx';
import { useNow } from '../../ui/use-now.ts';
import { BudgetGauge } from './budget-gauge.tsx';
import { allowanceText, amountText, anewText, type Forecast, forecast, MODE_TEXT } from './budget-text.ts';
import classes from './budgets.module.css';

interface Acts {
  onShow: (budget: BudgetView) => void;
  onChange: (budget: BudgetView) => void;
  onRemove: (budget: BudgetView) => void;
  mayChange: boolean;
}

/** Every budget with how full it is and what becomes of it, the fullest first. */
export function BudgetList({ budgets, ...acts }: { budgets: BudgetView[] } & Acts) {
  const now = useNow(10_000);
  const ordered = [...budgets].sort((a, b) => (b.status.utilisation ?? 1) - (a.status.utilisation ?? 1));
  return (
    <ul className={classes.list}>
      {ordered.map((budget) => (
        <BudgetItem key={budget.id} budget={budget} now={now} {...acts} />
      ))}
    </ul>
  );
}

function BudgetItem({ budget, now, ...acts }: { budget: BudgetView; now: number } & Acts) {
  const { measure, status } = budget;
  return (
    <li className={classes.budget}>
      <div>
        <div className={classes.name}>{budget.name}</div>
        <div className={classes.about}>
          {allowanceText(budget)} for {budget.scopeLabel}; {MODE_TEXT[budget.mode]}
        </div>
      </div>
      <div className={classes.meter}>
        <BudgetGauge budget={budget} />
        <div className={classes.figures}>
          <b>{amountText(measure, status.spent)}</b> spent
          {Number(status.held) > 0 && <>, {amountText(measure, status.held)} held</>},{' '}
          <b>{amountText(measure, status.left)}</b> left
        </div>
        <Outlook budget={budget} outlook={forecast(budget, now)} now={now} />
      </div>
      <BudgetMenu budget={budget} {...acts} />
    </li>
  );
}

/** What becomes of it at this pace, or since when it is used up. */
function Outlook(props: { budget: BudgetView; outlook: Forecast; now: number }) {
  const { budget, outlook, now } = props;
  const { exceeded, left } = budget.status;
  const anew = anewText(budget, (at) => formatAgo(Date.parse(at), now));
  if (exceeded || Number(left) === 0)
    return (
      <div className={classes.outlook} data-level="full">
        Used up. {anew}
      </div>
    );
  if (outlook?.kind === 'gone')
    return (
      <div className={classes.outlook} data-level="warn" title={formatAbsolute(outlook.atMs)}>
        At this pace used up {formatAgo(outlook.atMs, now)}. {anew}
      </div>
    );
  const pace = outlook === null ? '' : `At this pace ${Math.round(outlook.ratio * 100)} % by its end. `;
  return (
    <div className={classes.outlook}>
      {pace}
      {anew}
    </div>
  );
}

function BudgetMenu({ budget, onShow, onChange, onRemove, mayChange }: { budget: BudgetView } & Acts) {
  const changes: RowAct[] = [
    { label: 'Change', icon: IconPencil, onClick: () => onChange(budget) },
    { label: 'Remove', icon: IconTrash, onClick: () => onRemove(budget), removes: true },
  ];
  const look: RowAct = { label: 'History and holds', icon: IconListDetails, onClick: () => onShow(budget) };
  return <RowMenu name={budget.name} acts={mayChange ? [look, ...changes] : [look]} />;
}
