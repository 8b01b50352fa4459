import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RequestSubject, ScopePart } from './scope.ts';
import { ScopeIndex } from './scope-index.ts';

const NAMES = ['a', 'b', 'c', 'ab', ''] as const;
const name = fc.constantFrom(...NAMES);
const part: fc.Arbitrary<ScopePart> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('project', 'key', 'user', 'session', 'provider', 'account', 'tag'),
    value: name,
  } as const),
  fc.record({ kind: fc.constant('model' as const), value: fc.constantFrom('*', 'a*', '*b', 'a', 'b*b', '') }),
);
const scoped = fc.record({
  workspaceId: fc.constantFrom(null, 'w', 'other'),
  scope: fc.array(part, { maxLength: 4 }),
});
const subject: fc.Arbitrary<RequestSubject> = fc.record({
  workspaceId: fc.constantFrom('w', 'other'),
  keyId: fc.option(name),
  userId: fc.option(name),
  projectId: name,
  sessionId: fc.option(name),
  model: fc.option(fc.constantFrom('a', 'ab', 'bb', 'b', 'axb', '')),
  provider: name,
  accountId: fc.option(name),
  tags: fc.array(name, { maxLength: 4 }),
});

/** A pattern letter by letter, apart from the code under test. */
function likes(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*')
    return likes(pattern.slice(1), text) || (text !== '' && likes(pattern, text.slice(1)));
  return text !== '' && pattern[0] === text[0] && likes(pattern.slice(1), text.slice(1));
}

function covers(one: ScopePart, request: RequestSubject): boolean {
  switch (one.kind) {
    case 'project':
      return request.projectId === one.value;
    case 'key':
      return request.keyId === one.value;
    case 'user':
      return request.userId === one.value;
    case 'session':
      return request.sessionId === one.value;
    case 'provider':
      return request.provider === one.value;
    case 'account':
      return request.accountId === one.value;
    case 'tag':
      return request.tags.includes(one.value);
    case 'model':
      return request.model !== null && likes(one.value, request.model);
  }
}

it('the index finds what looking at every scope finds, each once, however often it is asked (X-02, property)', () => {
  fc.assert(
    fc.property(
      fc.array(scoped, { maxLength: 30 }),
      fc.array(subject, { minLength: 1, maxLength: 6 }),
      (all, requests) => {
        const items = all.map((one, id) => ({ ...one, id }));
        const index = new ScopeIndex(items, (one) => one);
        for (const request of [...requests, ...requests]) {
          const expected = items
            .filter(({ workspaceId }) => workspaceId === null || workspaceId === request.workspaceId)
            .filter(({ scope }) => scope.every((one) => covers(one, request)))
            .map(({ id }) => id);
          const found = index.matching(request).map(({ id }) => id);
          expect(found.sort((a, b) => a - b)).toEqual(expected);
        }
      },
    ),
    { numRuns: 500 },
  );
});

it('what clients call models is forgotten in time, and found again all the same', () => {
  const index = new ScopeIndex(
    [{ workspaceId: null, scope: [{ kind: 'model', value: 'gpt-*' }], id: 1 } as const],
    (one) => one,
  );
  const request = { ...fc.sample(subject, { numRuns: 1, seed: 7 })[0], workspaceId: 'w' } as RequestSubject;
  for (let i = 0; i < 5_000; i++)
    expect(index.matching({ ...request, model: i % 2 === 0 ? `gpt-${i}` : `o-${i}` })).toHaveLength(
      i % 2 === 0 ? 1 : 0,
    );
  expect(index.matching({ ...request, model: 'gpt-0' })).toHaveLength(1);
});
