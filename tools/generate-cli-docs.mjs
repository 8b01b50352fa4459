// Writes docs/cli.md from the commands as they are declared.
// Usage: node --conditions=@tallygate/source tools/generate-cli-docs.mjs
import { writeFileSync } from 'node:fs';
import { loadAllCommands } from '../packages/cli/src/command-table.ts';
import { renderDocs } from '../packages/cli/src/docs/render-docs.ts';

writeFileSync(new URL('../docs/cli.md', import.meta.url), renderDocs(await loadAllCommands()));
