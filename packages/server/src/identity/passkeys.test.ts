import { randomBytes } from 'node:crypto';
import { type IdentityWorld, startIdentityWorld } from '@tallygate/testkit/identity-world';
import { SoftPasskey, type SoftTerms } from '@tallygate/testkit/soft-passkey';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserRow } from '../store/store.ts';
import { createVault } from '../vault/aes-vault.ts';
import {
  createPasskeys,
  type PasskeyCreation,
  type PasskeyProof,
  type Passkeys,
  type ProofPurpose,
} from './passkeys.ts';
import type { RelyingParty } from './relying-party.ts';

const RP: RelyingParty = { rpId: 'gate.example', origins: ['https://gate.example'] };
const ANYONE: ProofPurpose = { kind: 'anyone' };
const INVALID = { code: 'passkey_invalid' };
const FIVE_MINUTES_MS = 300_000;

let world: IdentityWorld;
let passkeys: Passkeys;
let user: UserRow;
beforeEach(async () => {
  world = await startIdentityWorld();
  const vault = createVault(randomBytes(32));
  const place = (row: string) => ({ table: 'browser', row, column: 'challenge' });
  passkeys = createPasskeys({
    store: world.store,
    clock: world.clock,
    randomBytes: world.randomBytes,
    box: {
      seal: (secret, purpose) => vault.seal(secret, place(purpose)),
      open: (sealed, purpose) => vault.open(sealed, place(purpose)),
    },
  });
  user = await world.addUser('pia');
});
afterEach(() => world.close());

const half = (userId = user.id, idHash = 'h1'): ProofPurpose => ({ kind: 'second-step', userId, idHash });

/** A device that made a passkey for the user, and what the server kept of it. */
async function enrol(of = user, rp = RP, terms: Partial<SoftTerms> = {}) {
  const device = new SoftPasskey();
  const { challenge } = await passkeys.offer(of, rp);
  const response = device.create({
    challenge,
    origin: rp.origins[0] ?? '',
    rpId: rp.rpId,
    ...terms,
  }) as PasskeyCreation;
  const { row, recoveryCodes } = await passkeys.add(of.id, { name: 'phone', response, rp });
  return { device, row, recoveryCodes };
}

/** Proves possession for a purpose; what the device signs can be bent. */
async function prove(
  device: SoftPasskey,
  purpose: ProofPurpose,
  bent: { terms?: Partial<SoftTerms>; asked?: ProofPurpose; rp?: RelyingParty } = {},
) {
  const { challenge } = await passkeys.ask(bent.asked ?? purpose, RP);
  const response = device.prove({
    challenge,
    origin: 'https://gate.example',
    rpId: RP.rpId,
    ...bent.terms,
  }) as PasskeyProof;
  return passkeys.prove(purpose, { response, rp: bent.rp ?? RP });
}

describe('making a passkey (CF-13)', () => {
  it('keeps its public key for its user and this site, and brings recovery codes the first time', async () => {
    const { row, device, recoveryCodes } = await enrol();
    expect(row).toMatchObject({
      userId: user.id,
      credentialId: device.id,
      rpId: RP.rpId,
      name: 'phone',
      signCount: 0,
    });
    expect(recoveryCodes).toHaveLength(10);
    expect((await enrol()).recoveryCodes).toBeNull();
    expect((await world.secondFactor.status(user.id)).recoveryCodesLeft).toBe(10);
    expect(await world.store.passkeys.listPasskeys(user.id)).toHaveLength(2);
  });

  it('asks for no attestation, tells the browser what is there already, and who it is for', async () => {
    const { device } = await enrol();
    const other = { rpId: 'other.example', origins: ['https://other.example'] };
    const offer = await passkeys.offer(user, RP);
    expect(offer).toMatchObject({ attestation: 'none', rp: { id: RP.rpId }, user: { name: 'pia' } });
    expect(offer.excludeCredentials?.map(({ id }) => id)).toEqual([device.id]);
    expect((await passkeys.offer(user, other)).excludeCredentials).toEqual([]);
  });

  it.each([
    ['another site’s page', { origin: 'https://evil.example' }],
    ['a neighbour’s page', { origin: 'https://x.gate.example' }],
    ['another port', { origin: 'https://gate.example:8443' }],
    ['plain http', { origin: 'http://gate.example' }],
    ['another relying party', { rpId: 'evil.example' }],
  ])('is refused from %s', async (_name, terms) => {
    await expect(enrol(user, RP, terms)).rejects.toMatchObject(INVALID);
    expect(await world.store.passkeys.listPasskeys(user.id)).toEqual([]);
  });

  it('takes an offer once, for the user it was made to, within five minutes', async () => {
    const terms = { origin: 'https://gate.example', rpId: RP.rpId };
    const made = async (challenge: string, userId = user.id) =>
      passkeys.add(userId, {
        name: 'x',
        response: new SoftPasskey().create({ challenge, ...terms }) as PasskeyCreation,
        rp: RP,
      });
    const { challenge } = await passkeys.offer(user, RP);
    await expect(made(challenge, 'user-olga')).rejects.toMatchObject(INVALID);
    await made(challenge);
    await expect(made(challenge)).rejects.toMatchObject(INVALID);
    const late = (await passkeys.offer(user, RP)).challenge;
    world.clock.ms += FIVE_MINUTES_MS;
    await expect(made(late)).rejects.toMatchObject(INVALID);
    await expect(made(randomBytes(32).toString('base64url'))).rejects.toMatchObject(INVALID);
    expect((await passkeys.ask(ANYONE, RP)).challenge).not.toBe(late);
    await expect(made((await passkeys.ask(ANYONE, RP)).challenge)).rejects.toMatchObject(INVALID);
    await expect(made((await passkeys.ask(half(), RP)).challenge)).rejects.toMatchObject(INVALID);
  });

  it('of one device belongs to one user', async () => {
    const { device } = await enrol();
    const olga = await world.store.identity.findUser('user-olga');
    if (olga === null) throw new Error('the owner is there');
    const { challenge } = await passkeys.offer(olga, RP);
    const terms = { challenge, origin: 'https://gate.example', rpId: RP.rpId };
    const made = { name: 'x', response: device.create(terms) as PasskeyCreation, rp: RP };
    await expect(passkeys.add(olga.id, made)).rejects.toMatchObject({ code: 'conflict' });
    expect(await world.secondFactor.status(olga.id)).toMatchObject({ passkeys: 0, recoveryCodesLeft: 0 });
  });

  it('ends at twenty, counted when it is offered and when it is kept', async () => {
    const row = { ...(await enrol()).row };
    for (let i = 1; i < 19; i++)
      await world.store.passkeys.insertPasskey({ ...row, id: `id${i}`, credentialId: `c${i}` }, null);
    const { challenge } = await passkeys.offer(user, RP);
    await enrol(); // the twentieth
    await expect(passkeys.offer(user, RP)).rejects.toMatchObject({ code: 'conflict' });
    const terms = { challenge, origin: 'https://gate.example', rpId: RP.rpId };
    const response = new SoftPasskey().create(terms) as PasskeyCreation;
    await expect(passkeys.add(user.id, { name: 'x', response, rp: RP })).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

describe('proving a passkey (CF-13)', () => {
  it('alone asks nobody by name and for a holder that the device checked', async () => {
    await enrol();
    expect(await passkeys.ask(ANYONE, RP)).toMatchObject({
      userVerification: 'required',
      allowCredentials: [],
    });
  });

  it('as the second step names the user’s own for this site', async () => {
    const { device } = await enrol();
    await enrol(await world.addUser('other'));
    const asked = await passkeys.ask(half(), RP);
    expect(asked.allowCredentials?.map(({ id }) => id)).toEqual([device.id]);
    expect(asked.userVerification).toBe('preferred');
    const elsewhere = await passkeys.ask(half(), { rpId: 'other.example', origins: [] });
    expect(elsewhere.allowCredentials).toEqual([]);
  });

  it('gives the passkey, and writes its use down', async () => {
    const { device, row } = await enrol();
    expect((await prove(device, ANYONE)).id).toBe(row.id);
    expect(await world.store.passkeys.findPasskey(row.id)).toMatchObject({
      signCount: 1,
      lastUsedAtMs: world.clock.ms,
    });
    expect((await prove(device, half())).id).toBe(row.id);
  });

  it('without a checked holder is enough for the second step and not alone', async () => {
    const { device } = await enrol();
    const terms = { userVerified: false };
    await expect(prove(device, ANYONE, { terms })).rejects.toMatchObject(INVALID);
    expect((await prove(device, half(), { terms })).userId).toBe(user.id);
  });

  it.each([
    ['another site', { terms: { origin: 'https://evil.example' } }],
    ['plain http', { terms: { origin: 'http://gate.example' } }],
    ['another relying party', { terms: { rpId: 'evil.example' } }],
    ['a challenge that nobody gave', { terms: { challenge: randomBytes(32).toString('base64url') } }],
  ])('is refused for %s', async (_name, bent) => {
    const { device } = await enrol();
    await expect(prove(device, ANYONE, bent)).rejects.toMatchObject(INVALID);
  });

  it('is bound to what it was asked for: alone, or to one half-way session', async () => {
    const { device } = await enrol();
    const attempts: [ProofPurpose, ProofPurpose][] = [
      [ANYONE, half()],
      [half(), ANYONE],
      [half(user.id, 'h2'), half(user.id, 'h1')],
    ];
    for (const [purpose, asked] of attempts)
      await expect(prove(device, purpose, { asked })).rejects.toMatchObject(INVALID);
  });

  it('settles nothing for somebody else', async () => {
    const { device } = await enrol();
    await expect(prove(device, half('user-olga'))).rejects.toMatchObject(INVALID);
  });

  it('counts once, also when it comes several times at once', async () => {
    const { device } = await enrol();
    const { challenge } = await passkeys.ask(ANYONE, RP);
    const terms = { challenge, origin: 'https://gate.example', rpId: RP.rpId };
    const response = device.prove(terms) as PasskeyProof;
    const proofs = await Promise.allSettled(
      [1, 2, 3].map(() => passkeys.prove(ANYONE, { response, rp: RP })),
    );
    expect(proofs.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(passkeys.prove(ANYONE, { response, rp: RP })).rejects.toMatchObject(INVALID);
  });

  it('counts once, also on a device that keeps no counter', async () => {
    const { device } = await enrol();
    device.counter = -1; // and stays at 0
    const { challenge } = await passkeys.ask(ANYONE, RP);
    const terms = { challenge, origin: 'https://gate.example', rpId: RP.rpId };
    const response = device.prove(terms) as PasskeyProof;
    expect((await passkeys.prove(ANYONE, { response, rp: RP })).userId).toBe(user.id);
    await expect(passkeys.prove(ANYONE, { response, rp: RP })).rejects.toMatchObject(INVALID);
    device.counter = -1;
    expect((await prove(device, ANYONE)).signCount).toBe(0);
  });

  it('of a device and its copy at the same moment one gets in', async () => {
    const { device } = await enrol();
    const responses: PasskeyProof[] = [];
    for (let i = 0; i < 2; i++) {
      device.counter = 0;
      const { challenge } = await passkeys.ask(ANYONE, RP);
      const terms = { challenge, origin: 'https://gate.example', rpId: RP.rpId };
      responses.push(device.prove(terms) as PasskeyProof);
    }
    const both = await Promise.allSettled(
      responses.map((response) => passkeys.prove(ANYONE, { response, rp: RP })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('is good for five minutes', async () => {
    const { device } = await enrol();
    const { challenge } = await passkeys.ask(ANYONE, RP);
    world.clock.ms += FIVE_MINUTES_MS;
    const response = device.prove({
      challenge,
      origin: 'https://gate.example',
      rpId: RP.rpId,
    }) as PasskeyProof;
    await expect(passkeys.prove(ANYONE, { response, rp: RP })).rejects.toMatchObject(INVALID);
  });

  it('notices a copy: the counter never stands still or goes back', async () => {
    const { device } = await enrol();
    await prove(device, ANYONE);
    await prove(device, ANYONE);
    device.counter = 0; // a copy made before
    await expect(prove(device, ANYONE)).rejects.toMatchObject(INVALID);
    await expect(prove(device, ANYONE)).rejects.toMatchObject(INVALID);
    expect((await prove(device, ANYONE)).signCount).toBe(2); // what was read: 2 uses, and this is the third
  });

  it('is refused with a signature of another key, and with one that was changed', async () => {
    const { device } = await enrol();
    const impostor = new SoftPasskey();
    const { challenge } = await passkeys.ask(ANYONE, RP);
    const terms = { challenge, origin: 'https://gate.example', rpId: RP.rpId };
    const forged = { ...impostor.prove(terms), id: device.id, rawId: device.id } as PasskeyProof;
    await expect(passkeys.prove(ANYONE, { response: forged, rp: RP })).rejects.toMatchObject(INVALID);
    const real = device.prove(terms);
    const bytes = Buffer.from(real.response.signature, 'base64url');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const bent = {
      ...real,
      response: { ...real.response, signature: bytes.toString('base64url') },
    } as PasskeyProof;
    await expect(passkeys.prove(ANYONE, { response: bent, rp: RP })).rejects.toMatchObject(INVALID);
    // Neither used the challenge up: the real proof still counts.
    expect((await passkeys.prove(ANYONE, { response: real as PasskeyProof, rp: RP })).userId).toBe(user.id);
  });

  it('is nothing once the passkey was taken away', async () => {
    const { device, row } = await enrol();
    await world.store.passkeys.deletePasskey(user.id, row.id);
    await expect(prove(device, ANYONE)).rejects.toMatchObject(INVALID);
    await expect(prove(device, half())).rejects.toMatchObject(INVALID);
  });
});
