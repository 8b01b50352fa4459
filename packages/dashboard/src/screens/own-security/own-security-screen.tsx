import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { meQuery } from '../../app/api/queries.ts';
import { useHasPassword } from '../../app/manage/use-has-password.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { ChangePassword } from './change-password.tsx';
import classes from './own-security.module.css';
import { OwnSessions } from './own-sessions.tsx';
import { Passkeys } from './passkeys.tsx';
import { SecondFactor } from './second-factor.tsx';
import { SingleSignOn } from './single-sign-on.tsx';

/** How one signs in oneself. Whoever has to set up a second factor first sees only that. */
export function OwnSecurityScreen() {
  useTitle('My security');
  const enrolling = useQuery(meQuery(useApi())).data?.stage === 'enrol';
  const hasPassword = useHasPassword();
  return (
    <>
      <PageHeader title="My security" />
      {enrolling && (
        <p className={classes.notice} role="status">
          Your role needs a second factor. Set up an app or a passkey here; everything else opens after that.
        </p>
      )}
      <SecondFactor />
      <Passkeys />
      {!enrolling && <SingleSignOn />}
      {!enrolling && hasPassword && <ChangePassword />}
      {!enrolling && <OwnSessions />}
    </>
  );
}
