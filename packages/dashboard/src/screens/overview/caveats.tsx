import type { UsageSums } from '@tallygate/contract/api/usage';
import { Link } from '@tanstack/react-router';
import { parseViewSearch, type ViewSearch } from '../../app/url/view-search.ts';
import { formatCount, plural } from '../../ui/format/count.ts';
import { Mark } from '../../ui/mark.tsx';
import classes from './caveats.module.css';

/** What the figures leave out or had to guess, said next to them: unknown is not zero. */
export function Caveats({ totals, search }: { totals: UsageSums; search: ViewSearch }) {
  const { unpricedRequests, unpricedTokens, estimatedRequests, interruptedRequests } = totals;
  if (unpricedRequests + estimatedRequests + interruptedRequests === 0) return null;
  return (
    <ul className={classes.list} aria-label="What these figures leave out">
      {unpricedRequests > 0 && (
        <li>
          <Mark kind="unpriced" /> {plural(unpricedRequests, 'request')} with {formatCount(unpricedTokens)}{' '}
          tokens, not in the spend
        </li>
      )}
      {estimatedRequests > 0 && (
        <li>
          <Mark kind="estimated" /> {plural(estimatedRequests, 'request')}
        </li>
      )}
      {interruptedRequests > 0 && (
        <li>
          <Mark kind="interrupted" />{' '}
          <Link
            to="/requests"
            search={{ ...parseViewSearch(search as Record<string, unknown>), status: ['interrupted'] }}
          >
            {plural(interruptedRequests, 'request')}
          </Link>
        </li>
      )}
    </ul>
  );
}
