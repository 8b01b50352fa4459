import type { RequestDetailView } from '@tallygate/contract/api/usage';
import { CopyText } from '../../../ui/copy-text.tsx';
import { formatExactCount } from '../../../ui/format/count.ts';
import { formatRatePerMillion, formatRatePerUnit, formatUsdExact } from '../../../ui/format/money.ts';
import { MARK_MEANING } from '../../../ui/mark.tsx';
import { isTokenUnit, unitLabel } from './buckets.ts';
import classes from './price-lines.module.css';

/** How the cost came about, line by line, nothing rounded. */
export function PriceLines({ detail }: { detail: RequestDetailView }) {
  const { request, costLines } = detail;
  if (request.priceStatus === 'unpriced') return <p className={classes.text}>{MARK_MEANING.unpriced}</p>;
  if (request.priceStatus === 'no_usage')
    return <p className={classes.text}>Nothing billable is known of this request.</p>;
  if (costLines === null) return <p className={classes.text}>The lines of this price were not kept.</p>;
  return (
    <>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Charged</th>
            <th scope="col">Quantity</th>
            <th scope="col">Rate</th>
            <th scope="col">Amount</th>
          </tr>
        </thead>
        <tbody>
          {costLines.map((line) => (
            <tr key={`${line.unit}${line.ratePicoUsd}`}>
              <th scope="row">{unitLabel(line.unit)}</th>
              <td>{formatExactCount(line.quantity)}</td>
              <td>
                {isTokenUnit(line.unit)
                  ? `${formatRatePerMillion(line.ratePicoUsd)} / M`
                  : `${formatRatePerUnit(line.ratePicoUsd)} each`}
              </td>
              <td>{formatUsdExact(line.amountUsd)}</td>
            </tr>
          ))}
        </tbody>
        {request.costUsd !== null && (
          <tfoot>
            <tr>
              <th scope="row" colSpan={3}>
                Cost
              </th>
              <td>
                <CopyText text={request.costUsd} shown={formatUsdExact(request.costUsd)} label="exact cost" />
              </td>
            </tr>
          </tfoot>
        )}
      </table>
      {request.priceCard !== null && (
        <p className={classes.card}>
          Price card <code>{request.priceCard}</code>
        </p>
      )}
    </>
  );
}
