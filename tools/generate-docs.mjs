// Writes the documentation that is made from the code. Usage: npm run docs
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAllCommands } from '../packages/cli/src/command-table.ts';
import { renderDocs as renderCommandLine } from '../packages/cli/src/docs/render-docs.ts';
import { documentedSettings } from '../packages/server/src/config/explain-config.ts';
import { renderRoutes } from './routes-doc.mjs';

const INTRO = `<!-- Generated from packages/server/src/config/settings.ts by tools/generate-docs.mjs. Do not edit. -->

# Settings

Everything has a default; \`npm start\` needs no setting. \`tallygate config explain\` prints each value in force, where it
came from, and how to set it; secrets are masked.

## Where values come from

The first of these that says something wins:

1. a flag: \`--port 4200\` (with npm: \`npm start -- --port 4200\`);
2. an environment variable: the name with the prefix first, then its plain form where there is one. An empty variable
   counts as not set. Files named \`.env\` are not read;
3. the settings file: \`tallygate.toml\` in the clone (\`~/.config/tallygate/tallygate.toml\` when installed as a package),
   or the one named with \`--config\` or \`TALLYGATE_CONFIG\`. It holds flat keys: \`port = 4200\`;
4. the default.

A flag, key of the file or variable beginning with \`TALLYGATE_\` that is not listed here stops the start, with the likely
meaning; so do values that do not hold. Times are in milliseconds, sizes in bytes. A relative path starts at the working
directory, in the file at the file's folder.

Secrets marked *environment only* are read from nowhere else: command lines are seen by other users of the machine, and
files get copied.
`;

/** Files made from code, with how. */
const GENERATED = [
  { path: 'docs/settings.md', render: async () => renderSettings() },
  { path: 'docs/security/routes.md', render: async () => renderRoutes() },
  { path: 'docs/cli.md', render: async () => renderCommandLine(await loadAllCommands()) },
];

/**
 * Generated files that differ from what the code says.
 * @param {string} root
 * @returns {Promise<string[]>}
 */
export async function checkGenerated(root) {
  const findings = [];
  for (const { path, render } of GENERATED) {
    const file = join(root, path);
    const current = existsSync(file) ? readFileSync(file, 'utf8') : null;
    if (current !== (await render())) findings.push(`${path} is out of date: run "npm run docs"`);
  }
  return findings;
}

export function renderSettings() {
  const rows = documentedSettings();
  const groups = [...new Set(rows.map((row) => row.group))];
  const sections = groups.map((group) => {
    const settings = rows.filter((row) => row.group === group).map(renderSetting);
    return `\n## ${group}\n\n${settings.join('\n')}`;
  });
  return `${INTRO}${sections.join('')}`;
}

/** @param {ReturnType<typeof documentedSettings>[number]} row */
function renderSetting(row) {
  const names = [row.flag, ...row.env, row.toml && `${row.toml} = …`]
    .filter(Boolean)
    .map((name) => `\`${name}\``);
  const only = row.flag === null && row.toml === null ? ' (environment only)' : '';
  return `### ${row.name}\n\n${row.doc}\n\n- Set with: ${names.join(', ')}${only}\n- Value: ${row.expected}\n- Default: ${row.defaultText}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, render } of GENERATED)
    writeFileSync(new URL(`../${path}`, import.meta.url), await render());
}
