import { describe, expect, it } from 'vitest';
import { Secret } from '../../kernel/secret.ts';
import { anthropicOauthHeaders } from './oauth-headers.ts';

const OAUTH = 'oauth-2025-04-20';
const merged = (...headers: string[]): string[] => anthropicOauthHeaders(headers, new Secret('tok'));
const BEARER = ['authorization', 'Bearer tok'];

describe('betas of OAuth accounts (NX-03)', () => {
  it('adds the beta where the client names none', () => {
    expect(merged('accept', '*/*')).toEqual(['accept', '*/*', 'anthropic-beta', OAUTH, ...BEARER]);
  });

  it('adds it behind the betas of the client, in their order and place, each once', () => {
    const client = ['x-app', 'cli', 'Anthropic-Beta', 'b-2,a-1, b-2', 'accept', '*/*'];
    expect(merged(...client)).toEqual([
      'x-app',
      'cli',
      'Anthropic-Beta',
      `b-2,a-1,${OAUTH}`,
      'accept',
      '*/*',
      ...BEARER,
    ]);
  });

  it('joins several lines into the first', () => {
    const client = ['anthropic-beta', 'a-1', 'x', 'y', 'ANTHROPIC-BETA', `${OAUTH}, c-3`];
    expect(merged(...client)).toEqual(['anthropic-beta', `a-1,${OAUTH},c-3`, 'x', 'y', ...BEARER]);
  });

  it('leaves a header that names it as it is', () => {
    const client = ['anthropic-beta', `a-1,  ${OAUTH} ,b-2`];
    expect(merged(...client)).toEqual([...client, ...BEARER]);
  });
});
