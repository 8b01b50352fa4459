import { meResponse, passwordProof } from '@tallygate/contract/api/auth';
import { emptySchema } from '@tallygate/contract/api/common';
import {
  type PasskeyView,
  passkeyAddRequest,
  passkeyAddResponse,
  passkeyListResponse,
  passkeyOptionsResponse,
  passkeyProofRequest,
  passkeyRenameRequest,
  passkeyView,
  withPasskeyId,
} from '@tallygate/contract/api/passkeys';
import type { Principal } from '../../identity/principal.ts';
import { sessionCredential } from '../../identity/principal.ts';
import { relyingPartyOf } from '../../identity/relying-party.ts';
import type { LiveSession } from '../../identity/sessions.ts';
import { assertPassword, proofPurpose, signInWithPasskey } from '../../identity/sign-in.ts';
import { AppError } from '../../kernel/errors.ts';
import type { PasskeyRow } from '../../store/ports/passkeys.ts';
import type { AdminContext } from '../admin-deps.ts';
import { meView, personOf, setCookie } from '../auth/me-view.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { assertNotLastFactor } from '../second-factor/last-factor.ts';
import { endSessionsOf } from '../sessions/end-sessions.ts';

/** Who has to set up a second factor gets this far and no further. */
const ENROLLING = ['full', 'enrol'] as const;

function view(row: PasskeyRow): PasskeyView {
  return {
    id: row.id,
    name: row.name,
    site: row.rpId,
    createdAt: toIso(row.createdAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
  };
}

/** Passkeys: signing in with one, and one's own (CF-13). Adding and removing asks for the password. */
export function passkeyRoutes(context: AdminContext): AdminRoute[] {
  return [...signInRoutes(context), ...addRoutes(context), ...ownRoutes(context)];
}

/** The session whose second step is owed; null for everybody else, who signs in anew. */
function halfOf(principal: Principal): LiveSession | null {
  return principal.kind === 'session' && principal.session.stage === 'second_factor'
    ? principal.session
    : null;
}

function signInRoutes(context: AdminContext): AdminRoute[] {
  const open = { access: 'public', csrf: 'origin', rateClass: 'sign-in', method: 'POST' } as const;
  return [
    jsonRoute({
      ...open,
      path: '/api/auth/passkey/ask',
      summary: 'What a browser needs to sign in with a passkey, or to show one as the second step',
      audit: 'none',
      response: passkeyOptionsResponse,
      async handler({ principal, site }) {
        const options = await context.passkeys.ask(proofPurpose(halfOf(principal)), relyingPartyOf(site));
        return { body: { options: { ...options } } };
      },
    }),
    jsonRoute({
      ...open,
      path: '/api/auth/passkey/sign-in',
      summary: 'Sign in with a passkey, or show one as the second step',
      audit: 'access',
      body: passkeyProofRequest,
      response: meResponse,
      async handler({ body, principal, origin, site, audit }) {
        const { token, session } = await signInWithPasskey(context, halfOf(principal), {
          response: body.credential,
          rp: relyingPartyOf(site),
          origin,
        });
        audit.actor({ kind: 'user', id: session.user.id, name: session.user.username });
        if (principal.kind === 'session') {
          const { idHash } = principal.session.row;
          await context.sessions.end(idHash);
          context.endStreamsOf(sessionCredential(idHash));
        }
        return { body: meView(session), session: setCookie(token, session) };
      },
    }),
  ];
}

function addRoutes(context: AdminContext): AdminRoute[] {
  const own = { access: 'session', stages: ENROLLING, rateClass: 'sign-in', method: 'POST' } as const;
  return [
    jsonRoute({
      ...own,
      path: '/api/auth/passkeys/offer',
      summary: 'What a browser needs to make a passkey',
      audit: 'access',
      body: passwordProof,
      response: passkeyOptionsResponse,
      async handler({ body, principal, origin, site }) {
        const { session } = personOf(principal);
        const rp = relyingPartyOf(site);
        await assertPassword(context, session, { password: body.password, address: origin.address });
        return { body: { options: { ...(await context.passkeys.offer(session.user, rp)) } } };
      },
    }),
    jsonRoute({
      ...own,
      path: '/api/auth/passkeys',
      summary:
        'Add the passkey a browser made; the first second factor ends all other sessions and shows recovery codes once',
      audit: 'secret',
      status: 201,
      body: passkeyAddRequest,
      response: passkeyAddResponse,
      async handler({ body, principal, site, audit }) {
        const { user, row: session } = personOf(principal).session;
        const { row, recoveryCodes } = await context.passkeys.add(user.id, {
          name: body.name,
          response: body.credential,
          rp: relyingPartyOf(site),
        });
        audit.changed('passkey', row.id, { after: row });
        if (recoveryCodes !== null) await endSessionsOf(context, user.id, session.idHash);
        return { body: { passkey: view(row), recoveryCodes } };
      },
    }),
  ];
}

async function ownPasskey(context: AdminContext, principal: Principal, id: string): Promise<PasskeyRow> {
  const row = await context.store.passkeys.findPasskey(id);
  if (row === null || row.userId !== personOf(principal).session.user.id) {
    throw new AppError('resource_not_found');
  }
  return row;
}

function ownRoutes(context: AdminContext): AdminRoute[] {
  const { passkeys } = context.store;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/auth/passkeys',
      summary: 'One’s own passkeys, oldest first',
      access: 'session',
      stages: ENROLLING,
      response: passkeyListResponse,
      async handler({ principal }) {
        const rows = await passkeys.listPasskeys(personOf(principal).session.user.id);
        return { body: { passkeys: rows.map(view) } };
      },
    }),
    jsonRoute({
      method: 'PATCH',
      path: '/api/auth/passkeys/:id',
      summary: 'Give one’s own passkey another name',
      access: 'session',
      params: withPasskeyId,
      body: passkeyRenameRequest,
      response: passkeyView,
      async handler({ principal, params, body, audit }) {
        const row = await ownPasskey(context, principal, params.id);
        const after = { ...row, name: body.name };
        audit.changed('passkey', row.id, { before: row, after });
        await passkeys.renamePasskey(row.userId, row.id, body.name);
        return { body: view(after) };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/passkeys/:id/remove',
      summary: 'Remove one’s own passkey',
      access: 'session',
      rateClass: 'sign-in',
      audit: 'secret',
      params: withPasskeyId,
      body: passwordProof,
      response: emptySchema,
      async handler({ principal, params, body, origin, audit }) {
        const { session } = personOf(principal);
        const { user } = session;
        const row = await ownPasskey(context, principal, params.id);
        await assertPassword(context, session, { password: body.password, address: origin.address });
        await assertNotLastFactor(context, user, 'passkey');
        audit.changed('passkey', row.id, { before: row });
        await passkeys.deletePasskey(user.id, row.id);
        return { body: {} };
      },
    }),
  ];
}
