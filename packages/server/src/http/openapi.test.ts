import { ERROR_TABLE } from '@tallygate/contract/errors';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Operation {
  operationId: string;
  summary: string;
  parameters: { name: string; in: string; required: boolean; schema: unknown }[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, Record<string, unknown>>;
  security: Record<string, string[]>[];
  'x-key-scopes'?: string[];
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, unknown>;
    schemas: { Error: { properties: { error: { properties: { code: { enum: string[] } } } } } } & Record<
      string,
      unknown
    >;
    responses: Record<string, unknown>;
  };
}
let world: AdminWorld;
let document: Document;
beforeAll(async () => {
  world = await startAdminWorld(await openTestStore());
  document = JSON.parse((await world.call('/api/openapi.json', { local: true })).text) as Document;
});
afterAll(() => world.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Every schema object anywhere in the document. */
function* walk(value: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [name, child] of Object.entries(value)) yield* walk(child, `${path}/${name}`);
}

describe('GET /api/openapi.json', () => {
  it('is OpenAPI 3.1 with title, version and a licence', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Tallygate API', version: '9.9.9-test' });
  });

  it('has every row that answers data, and nothing else', () => {
    const printed = world.app.printRoutes({ commonPrefix: false });
    expect(printed).toContain('api/openapi.json');
    const described = operations().map(
      ({ path, method }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
    );
    for (const name of described) {
      const [method = '', url = ''] = name.split(' ');
      expect([name, world.app.hasRoute({ method: method as 'GET', url })]).toEqual([name, true]);
    }
    const handlers = [...printed.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, methods = '']) =>
      methods.split(', ').filter((m) => m !== 'HEAD'),
    );
    expect(described).toHaveLength(handlers.length - 2); // `/` and `/*` are pages
  });

  it('has unique operation ids, a declared parameter for each placeholder, and documented answers', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z]\w*$/);
    for (const { path, operation } of operations()) {
      const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(operation.parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(
        placeholders,
      );
      for (const one of operation.parameters) expect(typeof one.schema).toBe('object');
      expect(Object.keys(operation.responses).sort().at(-1)).toBe('default');
      expect(Object.keys(operation.responses)[0]).toMatch(/^(20[01]|303)$/);
      for (const response of Object.values(operation.responses)) {
        expect('description' in response || '$ref' in response).toBe(true);
      }
      for (const alternative of operation.security) {
        for (const scheme of Object.keys(alternative))
          expect(document.components.securitySchemes).toHaveProperty(scheme);
      }
    }
  });

  it('has only references that lead somewhere, and only JSON Schema types', () => {
    for (const [path, value] of walk(document)) {
      if (typeof value.$ref === 'string') {
        const target = value.$ref
          .split('/')
          .slice(1)
          .reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], document);
        expect([path, target]).not.toEqual([path, undefined]);
      }
      if (
        typeof value.type === 'string' &&
        !path.includes('/securitySchemes/') &&
        !path.endsWith('/properties')
      ) {
        expect(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']).toContain(value.type);
      }
    }
  });

  it('comes from the schemas that check the calls', () => {
    const create = document.paths['/api/keys']?.post?.requestBody?.content['application/json']?.schema;
    expect(create).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['name', 'scopes'],
    });
    const totals = document.paths['/api/usage/totals']?.get?.parameters.map((one) => [
      one.name,
      one.required,
    ]);
    expect(totals).toContainEqual(['from', true]);
    expect(totals).toContainEqual(['project', false]);
    const { Error: error } = document.components.schemas;
    expect(error.properties.error.properties.code.enum).toEqual(Object.keys(ERROR_TABLE));
  });

  it('says which scopes open what', () => {
    const totals = document.paths['/api/usage/totals']?.get;
    expect(totals?.['x-key-scopes']).toEqual(['read', 'admin']);
    expect(document.paths['/healthz']?.get?.security).toEqual([]);
    expect(document.paths['/api/backup']?.post?.security).toEqual([{ localSocket: [] }]);
  });
});
