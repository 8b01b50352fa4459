// docs/security/routes.md: every path of every listener, from the tables the server is built from.
import { KEY_SCOPES } from '../packages/contract/src/api/keys.ts';
import { createDataRoutes } from '../packages/server/src/http/data-routes.ts';
import { adminRouteTable } from '../packages/server/src/http/route-table.ts';
import { BUILT_IN_ROLES } from '../packages/server/src/identity/permissions.ts';
import { ADAPTERS } from '../packages/server/src/wire/adapters.ts';

const INTRO = `<!-- Generated from the route tables by tools/routes-doc.mjs. Do not edit. -->

# Routes

Every path the server answers. The server is built from these tables and nothing else: a path without a row does not exist,
and a request for it reaches no handler and no upstream. Tests walk them cell by cell, each row with each scope, role and
kind of bad credential (\`packages/server/src/http/route-table.test.ts\`, \`packages/server/src/http/roles.test.ts\`,
\`packages/server/src/http/workspaces.test.ts\`, \`tests/wire/route-walk.test.ts\`).

| column | meaning |
|---|---|
| who | \`anybody\`; \`session\`: a signed-in person, who has the permission where one is named; a permission, held by a role, by a key's scope or on the machine of the server; \`local\`: the command line there alone |
| scopes, roles | key scopes and built-in roles that get in; roles of one's own by their permissions |
| reach | \`workspace\`: nothing of another one; \`installation\`: the permission counts that the caller has in the first workspace |
| CSRF | \`token\`: a call with a cookie needs the session's token; \`origin\`: a page of another site is refused |
| rate | allowance per caller: \`read\` 100 a second, \`write\` 20, \`sign-in\` 1, \`heavy\` one in two seconds, \`report\` one in five; bursts are larger |
| body | largest request body |
| audit | \`none\` for reading; \`access\`, \`change\` and \`secret\` are recorded, the last two before they happen |

Answers of the API are never stored by caches (\`no-store\`). With \`ADMIN_LISTEN\` the rows marked \`both\` are at both
addresses, all others of the first table at that one alone.
`;

/**
 * Stands for everything a row closes over: rows are only read here, none of them is called.
 * @returns {any}
 */
function nothing() {
  const target = () => nothing();
  return new Proxy(target, { get: (_target, name) => (name === Symbol.iterator ? undefined : nothing()) });
}

/** @param {number} bytes */
const size = (bytes) => (bytes >= 1024 * 1024 ? `${bytes / (1024 * 1024)} MiB` : `${bytes / 1024} KiB`);

/** @param {import('../packages/server/src/admin/route.ts').AdminRoute} row */
function who(row) {
  if (row.access === 'public') return 'anybody';
  if (row.access === 'session' && row.permission !== null) return `session with \`${row.permission}\``;
  return row.access === 'permitted' ? `\`${row.permission}\`` : row.access;
}

/** @param {import('../packages/server/src/admin/route.ts').AdminRoute} row */
function rolesOf({ access, permission }) {
  if (access === 'public' || (access === 'session' && permission === null)) return 'all';
  if (access === 'local' || permission === null) return '';
  const names = Object.keys(BUILT_IN_ROLES).filter((name) => BUILT_IN_ROLES[name]?.has(permission));
  return names.join(', ');
}

/** @param {import('../packages/server/src/admin/route.ts').AdminRoute} row */
function adminLine(row) {
  const cells = [
    `\`${row.method} ${row.path}\``,
    row.listener,
    who(row),
    row.access === 'public' ? 'all' : row.scopes.join(', '),
    rolesOf(row),
    row.permission !== null || row.access === 'local' ? row.reach : '',
    row.csrf,
    row.rateClass,
    row.method === 'GET' ? '' : size(row.bodyLimitBytes),
    row.audit,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The whole page. */
export function renderRoutes() {
  const admin = adminRouteTable(nothing(), { headless: false, files: new Map() });
  const data = createDataRoutes(ADAPTERS).rows;
  const lines = data.map(({ method, clientPath, dialect, metered }) => {
    const path = `\`${method} ${clientPath.replace('{model}', ':model')}\``;
    return `| ${path} | ${dialect} | ${metered ? 'yes' : 'no'} |`;
  });
  const others = KEY_SCOPES.filter((scope) => scope !== 'gateway').join(', ');
  return `${INTRO}
## Dashboard, API and metrics

| route | listener | who | scopes | roles | reach | CSRF | rate | body | audit |
|---|---|---|---|---|---|---|---|---|---|
${admin.map(adminLine).join('\n')}

## The gate

An API key with the scope \`gateway\`; keys with only other scopes (${others}), cookies and the machine of the server do not get
in. The key is limited as its limits, rate limits and budgets say, the body by \`maxBodyBytes\`. Each request is a row of the
ledger. What is metered is counted and priced.

| route | dialect | metered |
|---|---|---|
${lines.join('\n')}
`;
}
