/**
 * The law of the folders, and its documentation: a layer imports only layers it names in `may`, and itself.
 * `tools/check-layers.mjs` enforces it on every import, type imports included. Paths are from the root.
 * `siblings: false`: the sub-folders of this layer never import each other (adapters); `sameFiles`: they hold
 * files of the same names, but for `ownFiles`; `requiredFiles`: each has these. `private`: only tests import it, whatever `may` says.
 */
const S = 'packages/server/src';
const pure = ['contract', 'kernel'];

// biome-ignore format: a table reads best with one row a layer
export const LAYERS = [
  // Shared by both sides: no Node, no DOM.
  { name: 'contract', path: 'packages/contract/src', may: [], packages: ['zod'], node: false },

  // Server, from the ground up.
  { name: 'kernel', path: `${S}/kernel`, may: ['contract'], packages: ['pino'] },
  { name: 'accounting', path: `${S}/accounting`, may: pure, packages: [], node: false },
  { name: 'journal', path: `${S}/journal`, may: pure, packages: [] },
  { name: 'vault', path: `${S}/vault`, may: pure, packages: ['@napi-rs/keyring'] },
  { name: 'egress', path: `${S}/egress`, may: pure, packages: ['undici'] },
  { name: 'provider-port', path: `${S}/providers/provider.ts`, may: [...pure, 'accounting'], packages: [] },
  { name: 'provider-shared', path: `${S}/providers/shared`, may: [...pure, 'accounting', 'provider-port'], packages: [] },
  { name: 'provider', path: `${S}/providers`, may: [...pure, 'accounting', 'provider-port', 'provider-shared'], packages: [], siblings: false, requiredFiles: ['usage.ts', 'fixtures'] },
  { name: 'store-port', path: [`${S}/store/store.ts`, `${S}/store/ports`], may: [...pure, 'accounting', 'journal'], packages: [] },
  { name: 'store-shared', path: [`${S}/store/queries`, `${S}/store/migrations`, `${S}/store/schema.ts`, `${S}/store/tables`, `${S}/store/dialect.ts`], may: [...pure, 'accounting', 'journal', 'store-port'], packages: ['kysely'] },
  { name: 'store-engine', path: `${S}/store`, may: [...pure, 'accounting', 'journal', 'store-port', 'store-shared'], packages: ['kysely', 'pg'], siblings: false, sameFiles: true, ownFiles: ['thread.ts', 'thread-client.ts', 'thread-protocol.ts', 'threaded-store.ts', 'least-role.ts'] },
  { name: 'ledger', path: `${S}/ledger`, may: [...pure, 'accounting', 'journal', 'store-port'], packages: [] },
  // Ways to reach people; one folder a channel.
  { name: 'delivery-port', path: `${S}/delivery/channel-adapter.ts`, may: [...pure, 'egress'], packages: [] },
  { name: 'delivery-shared', path: `${S}/delivery/shared`, may: [...pure, 'egress', 'delivery-port'], packages: ['undici'] },
  { name: 'delivery', path: `${S}/delivery`, may: [...pure, 'egress', 'delivery-port', 'delivery-shared'], packages: ['zod', 'nodemailer'], siblings: false, sameFiles: true, ownFiles: ['signature.ts'] },
  // Decides what may be spent; the folder below does so for several nodes at once.
  { name: 'limits', path: `${S}/limits`, may: pure, packages: [], node: false },
  { name: 'limits-shared', path: `${S}/limits/redis`, may: [...pure, 'limits'], packages: ['ioredis'] },
  // Tells other nodes that something changed; one folder a carrier.
  { name: 'bus-port', path: `${S}/bus/change-bus.ts`, may: [], packages: [] },
  { name: 'bus', path: `${S}/bus`, may: ['kernel', 'bus-port'], packages: ['ioredis'], siblings: false },
  // Which rule of the operator's applies to a request: pure, asked before an account is chosen.
  { name: 'rules', path: `${S}/rules`, may: pure, packages: [], node: false },
  // Translation between wire formats: pure functions from JSON to JSON.
  { name: 'translate-hub', path: `${S}/translate/hub`, may: ['contract', 'provider-shared'], packages: [], node: false },
  { name: 'translate', path: `${S}/translate`, may: ['contract', 'provider-shared', 'translate-hub'], packages: [], node: false, siblings: false, sameFiles: true, ownFiles: ['read-parts.ts', 'camel-case.ts', 'json-schema.ts'] },
  { name: 'pool', path: `${S}/pool`, may: [...pure, 'provider-port', 'egress'], packages: [] },
  { name: 'pipeline', path: `${S}/pipeline`, may: [...pure, 'accounting', 'journal', 'egress', 'provider-port', 'provider-shared', 'ledger', 'limits', 'rules', 'translate-hub', 'pool'], packages: ['prom-client'] },
  { name: 'identity', path: `${S}/identity`, may: [...pure, 'store-port'], packages: ['@node-rs/argon2', '@simplewebauthn/server', 'openid-client'] },
  // The only reader of the environment.
  { name: 'config', path: `${S}/config`, may: ['contract', 'kernel'], packages: ['zod', 'smol-toml'] },
  // Whether an installation is safe and in order: judges what it is handed, and looks at files.
  { name: 'checkup', path: `${S}/checkup`, may: [...pure, 'config', 'identity'], packages: [] },
  { name: 'security', path: `${S}/security`, may: [...pure, 'store-port', 'identity'], packages: [] },
  // Judges rules and keeps the outbox: no sockets; who sends is handed in.
  { name: 'alerts', path: `${S}/alerts`, may: [...pure, 'accounting', 'store-port', 'limits', 'delivery-port'], packages: [], node: false },
  { name: 'admin', path: `${S}/admin`, may: [...pure, 'accounting', 'journal', 'vault', 'egress', 'provider-port', 'store-port', 'ledger', 'limits', 'rules', 'pool', 'identity', 'checkup', 'security', 'alerts', 'delivery-port'], packages: ['zod'] },
  { name: 'http', path: `${S}/http`, may: [...pure, 'accounting', 'provider-port', 'store-port', 'pool', 'pipeline', 'identity', 'security', 'admin'], packages: ['fastify', '@fastify/static', 'zod', 'prom-client'] },
  // Read what other systems left behind, and change nothing of it.
  { name: 'importers', path: `${S}/importers`, may: pure, packages: ['pg'] },
  { name: 'jobs', path: `${S}/jobs`, may: [...pure, 'accounting', 'store-port', 'identity'], packages: [] },
  // The composition root and the entry points: the only ones that may import anything.
  { name: 'wire', path: `${S}/wire`, may: '*', packages: '*' },
  { name: 'main', path: `${S}/main.ts`, may: '*', packages: '*' },

  // Clients.
  { name: 'cli', path: 'packages/cli/src', may: ['contract', 'config', 'checkup', 'importers', 'wire', 'main'], packages: ['commander', 'zod'] },
  { name: 'dashboard', path: 'packages/dashboard/src', may: ['contract'], packages: '*', node: false },
  // How users' programs are built and started: the testkit does it the same way.
  { name: 'launcher', path: 'launcher', may: [], packages: ['rolldown'] },
  // Private: imported only by tests, `tests/` and `bench/`.
  { name: 'testkit', path: 'packages/testkit/src', may: '*', packages: '*', private: true },
];
