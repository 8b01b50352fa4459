import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { PasskeyRow } from '../store/ports/passkeys.ts';
import type { Store } from '../store/store.ts';
import { type ChallengeBox, type Challenges, createChallenges } from './challenges.ts';
import { makeRecoveryCodes } from './recovery-codes.ts';
import type { RelyingParty } from './relying-party.ts';
import { type RandomBytes, sha256Hex } from './token.ts';

/** What the browser hands over when a passkey is made. */
export type PasskeyCreation = Omit<RegistrationResponseJSON, 'clientExtensionResults'>;
/** What the browser hands over when a passkey is used. */
export type PasskeyProof = Omit<AuthenticationResponseJSON, 'clientExtensionResults'>;

/**
 * Who is to prove it. `anyone`: a passkey alone, so its holder has to be verified by the device (PIN, finger, face).
 * A session: the password was right already, and possession is enough.
 */
export type ProofPurpose = { kind: 'anyone' } | { kind: 'second-step'; userId: string; idHash: string };

/** Passkeys (CF-13): a second factor, or a whole sign-in without a password. */
export interface Passkeys {
  /** What a browser needs to make one. @throws AppError `conflict` when the user has too many */
  offer(
    user: { id: string; username: string },
    rp: RelyingParty,
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Keeps the passkey a browser made from an offer. The first second factor of a user brings recovery codes.
   * @throws AppError `passkey_invalid` or `conflict`
   */
  add(
    userId: string,
    made: { name: string; response: PasskeyCreation; rp: RelyingParty },
  ): Promise<{ row: PasskeyRow; recoveryCodes: string[] | null }>;
  /** What a browser needs to use one. */
  ask(purpose: ProofPurpose, rp: RelyingParty): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** The passkey that was proven; the challenge is used up. @throws AppError `passkey_invalid` */
  prove(purpose: ProofPurpose, proof: { response: PasskeyProof; rp: RelyingParty }): Promise<PasskeyRow>;
}

/** Some hundred modules that most installations never need: loaded with the first passkey. */
const webauthn = () => import('@simplewebauthn/server');

const MAX_PASSKEYS = 20;
const TIMEOUT_MS = 2 * 60_000;

interface PasskeyParts {
  store: Pick<Store, 'passkeys'>;
  clock: Clock;
  randomBytes: RandomBytes;
  box: ChallengeBox;
}

const purposeText = (purpose: ProofPurpose): string =>
  purpose.kind === 'anyone' ? 'anyone' : `second-step ${purpose.idHash}`;

/** The library says what was wrong by throwing; callers learn only that it was. */
async function verified<T extends { verified: boolean }>(check: Promise<T>): Promise<T> {
  const result = await check.catch((cause: unknown) => {
    throw new AppError('passkey_invalid', { cause });
  });
  if (!result.verified) throw new AppError('passkey_invalid');
  return result;
}

/** The library takes challenges as bytes or as text that it encodes: ours are text of random bytes already. */
const bytesOf = (challenge: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(challenge, 'base64url'));

export function createPasskeys(parts: PasskeyParts): Passkeys {
  const challenges = createChallenges(parts);
  return { ...creation(parts, challenges), ...proofs(parts, challenges) };
}

/** What the device signed, read again after the library found the signature good. */
function challengeIn(clientDataJson: string): string {
  const { challenge } = JSON.parse(Buffer.from(clientDataJson, 'base64url').toString('utf8')) as {
    challenge: string;
  };
  return challenge;
}

function creation(parts: PasskeyParts, challenges: Challenges): Pick<Passkeys, 'offer' | 'add'> {
  const { store, clock } = parts;

  async function assertRoom(userId: string): Promise<PasskeyRow[]> {
    const rows = await store.passkeys.listPasskeys(userId);
    if (rows.length < MAX_PASSKEYS) return rows;
    throw new AppError('conflict', { detail: `${MAX_PASSKEYS} passkeys are the most. Remove one first.` });
  }

  async function keep(row: PasskeyRow): Promise<string[] | null> {
    const first = !(await store.passkeys.hasSecondFactor(row.userId));
    const { codes, codeHashes } = makeRecoveryCodes(parts.randomBytes);
    if (await store.passkeys.insertPasskey(row, first ? codeHashes : null)) return first ? codes : null;
    throw new AppError('conflict', { detail: 'This passkey is known already.' });
  }

  return {
    async offer(user, { rpId }) {
      const rows = await assertRoom(user.id);
      return (await webauthn()).generateRegistrationOptions({
        rpName: 'Tallygate',
        rpID: rpId,
        userName: user.username,
        userID: new TextEncoder().encode(user.id),
        challenge: bytesOf(challenges.issue(`add ${user.id}`)),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        excludeCredentials: rows
          .filter((row) => row.rpId === rpId)
          .map((row) => ({ id: row.credentialId, transports: row.transports })),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      });
    },
    async add(userId, { name, response, rp }) {
      await assertRoom(userId);
      const { registrationInfo } = await verified(
        (await webauthn()).verifyRegistrationResponse({
          response: { ...response, clientExtensionResults: {} },
          expectedChallenge: (challenge) => challenges.isOurs(challenge, `add ${userId}`),
          expectedOrigin: rp.origins,
          expectedRPID: rp.rpId,
          requireUserVerification: false,
        }),
      );
      if (registrationInfo === undefined) throw new AppError('passkey_invalid');
      await challenges.spend(challengeIn(response.response.clientDataJSON));
      const { credential } = registrationInfo;
      const row: PasskeyRow = {
        id: sha256Hex(credential.id),
        userId,
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        signCount: credential.counter,
        transports: credential.transports ?? [],
        rpId: rp.rpId,
        name,
        createdAtMs: clock.now(),
        lastUsedAtMs: null,
      };
      return { row, recoveryCodes: await keep(row) };
    },
  };
}

function proofs({ store, clock }: PasskeyParts, challenges: Challenges): Pick<Passkeys, 'ask' | 'prove'> {
  return {
    async ask(purpose, { rpId }) {
      const rows = purpose.kind === 'anyone' ? [] : await store.passkeys.listPasskeys(purpose.userId);
      return (await webauthn()).generateAuthenticationOptions({
        rpID: rpId,
        challenge: bytesOf(challenges.issue(purposeText(purpose))),
        timeout: TIMEOUT_MS,
        allowCredentials: rows
          .filter((row) => row.rpId === rpId)
          .map((row) => ({ id: row.credentialId, transports: row.transports })),
        userVerification: purpose.kind === 'anyone' ? 'required' : 'preferred',
      });
    },
    async prove(purpose, { response, rp }) {
      const row = await store.passkeys.findPasskey(sha256Hex(response.id));
      if (row === null || (purpose.kind === 'second-step' && row.userId !== purpose.userId)) {
        throw new AppError('passkey_invalid');
      }
      const { authenticationInfo } = await verified(
        (await webauthn()).verifyAuthenticationResponse({
          response: { ...response, clientExtensionResults: {} },
          expectedChallenge: (challenge) => challenges.isOurs(challenge, purposeText(purpose)),
          expectedOrigin: rp.origins,
          expectedRPID: rp.rpId,
          credential: {
            id: row.credentialId,
            publicKey: new Uint8Array(Buffer.from(row.publicKey, 'base64url')),
            counter: row.signCount,
            transports: row.transports,
          },
          requireUserVerification: purpose.kind === 'anyone',
        }),
      );
      await challenges.spend(challengeIn(response.response.clientDataJSON));
      const use = { signCount: authenticationInfo.newCounter, atMs: clock.now() };
      if (!(await store.passkeys.usePasskey(row, use))) throw new AppError('passkey_invalid');
      return row;
    },
  };
}
