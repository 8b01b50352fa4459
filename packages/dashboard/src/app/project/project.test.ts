import { describe, expect, it } from 'vitest';
import { coversProject, isAboutProjects, parseProjectSearch } from '../url/project.ts';
import { keptSearch } from '../url/view-search.ts';
import { rememberedProject, rememberProject } from './remembered-project.ts';

describe('the project of a view', () => {
  it('covers scopes about it or about one of its keys, in any part, and nothing else', () => {
    const ids = { projects: new Set(['p1', 'web']), keys: new Set(['k1']) };
    const covered = (scope: string) => coversProject(scope, ids);
    expect(['project:web', 'model:a:b,project:p1', 'key:k1,tag:x'].map(covered)).toEqual([true, true, true]);
    const others = [
      'workspace',
      'project:web2',
      'key:k2',
      'tag:web',
      'model:project:web',
      'user:p1',
      'user:k1',
    ];
    expect(others.map(covered)).toEqual(others.map(() => false));
  });

  it('goes along to every place; the rest of the question only where it can be asked', () => {
    const search = { project: 'p1', model: 'm', range: '7d', budget: 'b' };
    expect(keptSearch('/requests', search)).toEqual({ project: ['p1'], model: ['m'], range: '7d' });
    expect(keptSearch('/budgets', search)).toEqual({ project: ['p1'] });
    expect(parseProjectSearch({ project: ' ,' })).toEqual({});
    expect(['/', '/requests/1', '/keys', '/keysx', '/people'].map(isAboutProjects)).toEqual([
      ...[true, true, true, false, false],
    ]);
  });

  it('is remembered where the browser permits it, and forgotten', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    rememberProject('p1', storage);
    expect(rememberedProject(storage)).toBe('p1');
    rememberProject(null, storage);
    expect([rememberedProject(storage), kept.size]).toEqual([null, 0]);
    const refusing = {
      getItem: () => {
        throw new Error('no storage');
      },
    };
    expect(rememberedProject(refusing)).toBeNull();
  });
});
