import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadAllCommands } from '../command-table.ts';
import { renderDocs } from './render-docs.ts';

describe('docs/cli.md', () => {
  it('is what the commands say (npm run docs writes it)', async () => {
    const written = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
    expect(written).toBe(renderDocs(await loadAllCommands()));
  });

  it('has every command, option and example', async () => {
    const text = renderDocs(await loadAllCommands());
    for (const definition of await loadAllCommands()) {
      expect(text).toContain(`\n## ${definition.name}\n`);
      for (const { command } of definition.examples) expect(text).toContain(`tallygate ${command}\n`);
    }
  });
});
