import {
  passwordChangeRequest,
  passwordProof,
  recoveryCodesResponse,
  secondFactorOffer,
  secondFactorRequest,
  secondFactorStatus,
  sessionsEndedResponse,
} from '@tallygate/contract/api/auth';
import { emptySchema } from '@tallygate/contract/api/common';
import { NO_PASSWORD } from '../../identity/password-hash.ts';
import { assertStrongPassword } from '../../identity/password-rules.ts';
import { assertPassword } from '../../identity/sign-in.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { assertNotLastFactor } from '../second-factor/last-factor.ts';
import { endSessionsOf } from '../sessions/end-sessions.ts';
import { personOf } from './me-view.ts';

/** Who has to set up a second factor gets this far and no further. */
const ENROLLING = ['full', 'enrol'] as const;

/** A person's own password and second factor. Every change asks for the password: an open browser is not enough. */
export function ownSecurityRoutes(context: AdminContext): AdminRoute[] {
  return [passwordRoute(context), ...secondFactorRoutes(context), ...recoveryRoutes(context)];
}

function passwordRoute(context: AdminContext): AdminRoute {
  return jsonRoute({
    method: 'POST',
    path: '/api/auth/password',
    summary: 'Change one’s own password; ends all other sessions',
    access: 'session',
    rateClass: 'sign-in',
    audit: 'secret',
    body: passwordChangeRequest,
    response: sessionsEndedResponse,
    async handler({ body, principal, origin }) {
      const { session } = personOf(principal);
      const { user, row } = session;
      if (user.passwordHash === NO_PASSWORD) {
        throw new AppError('conflict', {
          detail: 'You sign in through your provider and have no password here.',
        });
      }
      await assertPassword(context, session, { password: body.current, address: origin.address });
      assertStrongPassword(body.password, user.username);
      await context.store.identity.updatePassword(user.id, await context.hasher.hash(body.password));
      return { body: { ended: await endSessionsOf(context, user.id, row.idHash) } };
    },
  });
}

function secondFactorRoutes(context: AdminContext): AdminRoute[] {
  const { secondFactor, access } = context;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/auth/second-factor',
      summary: 'One’s own second factor',
      access: 'session',
      stages: ENROLLING,
      response: secondFactorStatus,
      async handler({ principal }) {
        const { user } = personOf(principal).session;
        const required = (await access.roleWithSecondFactor(user.id)) !== null;
        return { body: { ...(await secondFactor.status(user.id)), required } };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/second-factor/offer',
      summary: 'A new secret for an authenticator app; the answer shows it this once',
      access: 'session',
      stages: ENROLLING,
      rateClass: 'sign-in',
      audit: 'secret',
      body: passwordProof,
      response: secondFactorOffer,
      async handler({ body, principal, origin }) {
        const { session } = personOf(principal);
        const { user } = session;
        await assertPassword(context, session, { password: body.password, address: origin.address });
        return { body: await secondFactor.offer(user) };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/second-factor/confirm',
      summary:
        'Confirm the offered secret with a code of it; ends all other sessions and shows the recovery codes once',
      access: 'session',
      stages: ENROLLING,
      rateClass: 'sign-in',
      audit: 'secret',
      body: secondFactorRequest,
      response: recoveryCodesResponse,
      async handler({ body, principal }) {
        const { user, row } = personOf(principal).session;
        const recoveryCodes = await secondFactor.confirm(user.id, body.code);
        await endSessionsOf(context, user.id, row.idHash);
        return { body: { recoveryCodes } };
      },
    }),
  ];
}

function recoveryRoutes(context: AdminContext): AdminRoute[] {
  const { secondFactor } = context;
  return [
    jsonRoute({
      method: 'POST',
      path: '/api/auth/second-factor/recovery-codes',
      summary: 'Replace one’s recovery codes; the answer shows them this once',
      access: 'session',
      rateClass: 'sign-in',
      audit: 'secret',
      body: passwordProof,
      response: recoveryCodesResponse,
      async handler({ body, principal, origin }) {
        const { session } = personOf(principal);
        const { user } = session;
        await assertPassword(context, session, { password: body.password, address: origin.address });
        return { body: { recoveryCodes: await secondFactor.renewRecoveryCodes(user.id) } };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/second-factor/remove',
      summary: 'Remove one’s own authenticator app',
      access: 'session',
      rateClass: 'sign-in',
      audit: 'secret',
      body: passwordProof,
      response: emptySchema,
      async handler({ body, principal, origin }) {
        const { session } = personOf(principal);
        const { user } = session;
        await assertPassword(context, session, { password: body.password, address: origin.address });
        await assertNotLastFactor(context, user, 'app');
        await secondFactor.remove(user.id);
        return { body: {} };
      },
    }),
  ];
}
