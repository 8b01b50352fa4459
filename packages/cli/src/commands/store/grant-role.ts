import { defineCommand } from '../../command.ts';
import { argument, optional } from '../../options/option.ts';

export const storeGrantRole = defineCommand({
  name: 'store grant-role',
  summary: 'Print SQL that makes a database role for running the server',
  description:
    'Prints SQL, and runs nothing. The role it makes reads and writes rows; it makes and changes no table, and can ' +
    'neither change nor delete entries of the audit log. Run the SQL as the role that owns the tables, after ' +
    '"tallygate store migrate" has made them; start the server with the new role. Run it again at any time.',
  takesSettings: true,
  options: { schema: optional('NAME', 'Schema that the tables are in (default: public)') },
  positionals: { role: argument('ROLE', 'Name of the role to make') },
  examples: [
    {
      command: 'store grant-role gate_run | psql "$DB_URL"',
      explains: 'Make it, with DB_URL as the role that owns the tables',
    },
  ],
  async handler(context, { role, schema }) {
    const { storeRoleSql } = await import('@tallygate/server/wire/store-upkeep');
    const { config } = await context.settings();
    const sql = await storeRoleSql(config, { role, schema: schema ?? 'public' });
    context.result({ sql }, () => sql);
    return undefined;
  },
});
