const S = 'packages/server/src';

/**
 * Protections, and how each is taken away: `from` stands once in the file and is replaced by `to`. The tests named
 * must then fail; `run.mjs` does it for real and writes docs/security/proof.md.
 * @typedef {{ protects: string, against: string, file: string, edits: [from: string, to: string][], tests: string[] }} Trial
 * @type {Trial[]}
 */
export const TRIALS = [
  {
    protects: 'Every row of the route table asks for its permission',
    against: 'a viewer who calls what only an owner may',
    file: `${S}/http/call-guard.ts`,
    edits: [['authorise(route, principal);', 'void authorise;']],
    tests: [`${S}/http/route-table.test.ts`, `${S}/http/roles.test.ts`],
  },
  {
    protects: 'Writes with a session need the token that is bound to it',
    against: 'a page of another site that posts with the cookie of its visitor',
    file: `${S}/http/call-guard.ts`,
    edits: [['assertNotForged(route, principal, parts);', 'void assertNotForged;']],
    tests: [`${S}/http/route-table.test.ts`],
  },
  {
    protects: 'The policy for browsers forbids inline script',
    against: 'script in a name that somebody chose',
    file: `${S}/http/security-headers.ts`,
    edits: [['"script-src \'self\'",', "\"script-src 'self' 'unsafe-inline'\","]],
    tests: [`${S}/http/admin-app.test.ts`],
  },
  {
    protects: 'Only names of ours are answered',
    against: 'a page whose own name resolves to 127.0.0.1 (DNS rebinding)',
    file: `${S}/http/host-check.ts`,
    edits: [['if (!policy.namesOnly || isLoopbackName(hostname)) return;', 'return;']],
    tests: ['tests/wire/transport.test.ts'],
  },
  {
    protects: 'Guessing passwords gets slower',
    against: 'lists of leaked passwords',
    file: `${S}/identity/login-throttle.ts`,
    edits: [
      [
        "if (waitMs > 0) throw new AppError('login_throttled'",
        "if (waitMs < 0) throw new AppError('login_throttled'",
      ],
    ],
    tests: [`${S}/identity/login-throttle.test.ts`, `${S}/http/sign-in.test.ts`],
  },
  {
    protects: 'A refused guess does not lengthen the wait',
    against: 'somebody who keeps the owner out by guessing in their name',
    file: `${S}/identity/login-throttle.ts`,
    edits: [
      [
        "if (waitMs > 0) throw new AppError('login_throttled', { retryAfterSeconds: Math.ceil(waitMs / 1000) });",
        "if (waitMs > 0) {\n      for (const { entry } of measured) entry.nextAllowedMs += 60_000;\n      throw new AppError('login_throttled', { retryAfterSeconds: Math.ceil(waitMs / 1000) });\n    }",
      ],
    ],
    tests: [`${S}/identity/login-throttle.test.ts`],
  },
  {
    protects: 'An unknown name costs the same work as a known one',
    against: 'finding out who has an account by the clock',
    file: `${S}/identity/sign-in.ts`,
    edits: [
      [
        'const matches = await parts.hasher.verify(user?.passwordHash ?? null, input.password);',
        'const matches = user !== null && (await parts.hasher.verify(user.passwordHash, input.password));',
      ],
    ],
    tests: [`${S}/identity/sign-in.test.ts`],
  },
  {
    protects: 'A revoked key ends what it has running',
    against: 'a stolen key with a stream that lasts an hour',
    file: `${S}/pipeline/gateway.ts`,
    edits: [["this.#running.refuse(which, () => new AppError('invalid_api_key'), REVOKED);", 'void which;']],
    tests: ['tests/wire/key-limits.test.ts'],
  },
  {
    protects: "The client's credential never goes upstream",
    against: 'an upstream that collects keys of the gate',
    file: `${S}/pipeline/stages/upstream-headers.ts`,
    edits: [['  ...KEY_HEADERS,\n', '']],
    tests: ['tests/wire/request-fidelity.test.ts'],
  },
  {
    protects: 'Bytes of a body are counted as they arrive',
    against: 'a body without a length that fills the memory',
    file: `${S}/pipeline/stages/read-body.ts`,
    edits: [["if (bytes > maxBytes) return finish(new AppError('request_too_large'), null);", '']],
    tests: ['tests/wire/body-limit.test.ts'],
  },
  {
    protects: 'A name is judged by the addresses it resolves to',
    against: 'an upstream address that leads into the own network',
    file: `${S}/egress/connector.ts`,
    edits: [
      [
        'lookup: createGuardedLookup(options.resolve, permits),',
        'lookup: createGuardedLookup(options.resolve, () => true),',
      ],
    ],
    tests: [`${S}/egress/address-guard.test.ts`, `${S}/wire/egress.test.ts`],
  },
  {
    protects: 'The address that was connected to is judged once more',
    against: 'a name server that changes its answer in between (rebinding)',
    file: `${S}/egress/connector.ts`,
    edits: [["if (!permits(socket.remoteAddress ?? '')) return new AppError('egress_blocked');", '']],
    tests: [`${S}/wire/egress.test.ts`],
  },
  {
    protects: 'Pinned keys of an upstream are compared',
    against: 'a certificate that somebody else was given for the same name',
    file: `${S}/egress/connector.ts`,
    edits: [
      [
        "return pins.length === 0 || hasPinnedKey(socket, pins) ? null : new AppError('upstream_pin_mismatch');",
        'void hasPinnedKey;\n    return null;',
      ],
    ],
    tests: [`${S}/egress/pinning.test.ts`],
  },
  {
    protects: 'A sealed value opens only in its own row and column',
    against: 'whoever can write to the database and moves one secret into the place of another',
    file: `${S}/vault/sealer.ts`,
    edits: [
      ['\n  cipher.setAAD(associatedData(format, context));', '\n  cipher.setAAD(Buffer.alloc(0));'],
      ['\n  decipher.setAAD(associatedData(format, context));', '\n  decipher.setAAD(Buffer.alloc(0));'],
    ],
    tests: [`${S}/vault/aes-vault.test.ts`],
  },
  {
    protects: 'The hash of every audit entry is computed again',
    against: 'an entry that was changed afterwards',
    file: `${S}/store/ports/audit-chain.ts`,
    edits: [['if (entryHash(entry) !== entry.hash) {', 'if (entry.seq < 0) {']],
    tests: [`${S}/store/ports/audit-chain.test.ts`],
  },
  {
    protects: 'Every audit entry is held against the one before',
    against: 'an entry that was replaced by another with a fitting hash',
    file: `${S}/store/ports/audit-chain.ts`,
    edits: [['if (seq === next && entry.prevHash !== this.last.hash) {', 'if (entry.seq < 0) {']],
    tests: [`${S}/store/ports/audit-chain.test.ts`],
  },
  {
    protects: 'Secrets have no printable form',
    against: 'a credential in a log line, an error or an answer',
    file: `${S}/kernel/secret.ts`,
    edits: [['toJSON(): string {\n    return MASK;', 'toJSON(): string {\n    return this.#value;']],
    tests: [`${S}/kernel/secret.test.ts`],
  },
  {
    protects: 'Signatures of identity tokens are verified, wherever the token came from',
    against: 'whoever can answer in the place of the token endpoint and names themselves the owner',
    file: `${S}/identity/oidc-client.ts`,
    edits: [['library.enableNonRepudiationChecks, ', '']],
    tests: [`${S}/identity/id-token.test.ts`],
  },
  {
    protects: 'A challenge counts once, on whichever node',
    against: 'the answer of a passkey that was overheard and is sent again',
    file: `${S}/identity/challenges.ts`,
    edits: [["throw new AppError('passkey_invalid');", 'return;']],
    tests: [`${S}/identity/challenges.test.ts`],
  },
  {
    protects: 'A new data key seals only when the other nodes can open it',
    against: 'a rotation on one node that takes the upstream keys from the others',
    file: `${S}/vault/vault-keeper.ts`,
    edits: [['await this.#parts.untilKnown?.();', '']],
    tests: [`${S}/vault/open-keyring.test.ts`],
  },
];
