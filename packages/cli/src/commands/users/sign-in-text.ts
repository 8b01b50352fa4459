import type { UserView } from '@tallygate/contract/api/people';

/** `password, app, 2 passkeys`: everything that somebody can sign in with. */
export function signInText({ password, app, passkeys, sso }: UserView): string {
  const ways = [
    password && 'password',
    app && 'app (TOTP)',
    passkeys > 0 && `${passkeys} ${passkeys === 1 ? 'passkey' : 'passkeys'}`,
    sso && 'single sign-on',
  ];
  return ways.filter((way) => way !== false).join(', ') || 'nothing yet';
}
