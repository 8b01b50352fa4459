import { AppError } from '../../kernel/errors.ts';

/** What needs no quoting, and reads the same in every tool. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Rows that are written once: the chain of the audit log, and which migrations ran. */
const NEVER_CHANGED = [
  { table: 'audit_entry', may: 'select, insert' },
  { table: 'schema_migration', may: 'select' },
];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function databaseOf(url: string): string {
  const { pathname, username } = new URL(url);
  const name = decodeURIComponent(pathname.slice(1));
  return name === '' ? decodeURIComponent(username) : name; // as libpq reads it
}

/**
 * SQL that makes a role for a running server: it reads and writes rows, and neither makes nor changes tables. To be
 * run by the role that migrates; it may be run again, after a migration too.
 * @throws AppError `invalid_request` for a name that would have to be quoted
 */
export function leastRoleSql(url: string, { role, schema }: { role: string; schema: string }): string {
  for (const name of [role, schema]) {
    if (PLAIN_NAME.test(name)) continue;
    throw new AppError('invalid_request', {
      detail: `"${name}" is no plain name: small letters, digits and _, not beginning with a digit.`,
    });
  }
  const rows = 'select, insert, update, delete';
  return `-- A role for running the server: rows, and nothing about tables. Run this as the role that owns the tables.
do $$ begin
  if not exists (select from pg_roles where rolname = '${role}') then create role ${role} login; end if;
end $$;
alter role ${role} nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
revoke create on schema ${schema} from public, ${role};
revoke temporary on database ${quoted(databaseOf(url))} from public, ${role};
grant connect on database ${quoted(databaseOf(url))} to ${role};
grant usage on schema ${schema} to ${role};
revoke all on all tables in schema ${schema} from ${role};
grant ${rows} on all tables in schema ${schema} to ${role};
grant usage, select on all sequences in schema ${schema} to ${role};
${NEVER_CHANGED.map(({ table, may }) => `revoke all on ${schema}.${table} from ${role};\ngrant ${may} on ${schema}.${table} to ${role};`).join('\n')}
-- Tables of later migrations, made by the role that runs this.
alter default privileges in schema ${schema} grant ${rows} on tables to ${role};
alter default privileges in schema ${schema} grant usage, select on sequences to ${role};
-- Then give it a password, in psql: \\password ${role}
`;
}
