import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { CodeBlock } from '../../ui/code-block.tsx';
import { useApi } from '../api/api-context.tsx';
import { accountsQuery } from '../api/queries.ts';
import classes from './snippet-picker.module.css';
import { clientSnippets, orderSnippets, snippetModels } from './snippets.ts';

/** Which client, and what to paste into it, with this gate's address and the key filled in. */
export function SnippetPicker({ apiKey }: { apiKey: string }) {
  const accounts = useQuery(accountsQuery(useApi())).data?.accounts ?? [];
  const snippets = orderSnippets(
    clientSnippets({ baseUrl: window.location.origin, key: apiKey, ...snippetModels(accounts) }),
    accounts,
  );
  const [id, setId] = useState<string | null>(null);
  const shown = snippets.find((snippet) => snippet.id === id) ?? snippets[0];
  if (!shown) return null;
  return (
    <div className={classes.picker}>
      <fieldset className={classes.clients} aria-label="Client">
        {snippets.map((snippet) => (
          <button
            key={snippet.id}
            type="button"
            className={classes.client}
            aria-pressed={snippet === shown}
            onClick={() => setId(snippet.id)}
          >
            {snippet.client}
          </button>
        ))}
      </fieldset>
      <p className={classes.hint}>{shown.hint}</p>
      <CodeBlock code={shown.code} label={`${shown.client} snippet`} />
    </div>
  );
}
