import { ERROR_TABLE } from '@tallygate/contract/errors';
import { z } from 'zod';
import { type AdminRoute, jsonRoute } from '../admin/route.ts';

type Json = Record<string, unknown>;

/** Input schemas as what a client sends, output schemas as what it gets. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  return rest;
}

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const { properties, required } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (required?.includes(name) ?? false),
    schema: property,
  }));
}

const errorResponse = { $ref: '#/components/responses/Error' };

function responsesOf(route: AdminRoute): Json {
  const ok: Json = { description: route.summary };
  if (route.kind === 'json' && route.schemas.response !== null) {
    ok.content = { 'application/json': { schema: schemaOf(route.schemas.response, 'output') } };
  }
  if (route.kind === 'stream' && route.schemas.response !== null) {
    // OpenAPI 3.1 cannot describe events one by one: the schema is that of each event's data.
    ok.content = { 'text/event-stream': { schema: schemaOf(route.schemas.response, 'output') } };
  }
  if (route.kind === 'redirect') ok.headers = { location: { schema: { type: 'string' } } };
  if (route.kind === 'bytes') ok.content = { 'text/plain': { schema: { type: 'string' } } };
  return { [String(route.status)]: ok, default: errorResponse };
}

/** What opens the row; several entries are alternatives. */
function securityOf(route: AdminRoute): Json[] {
  if (route.access === 'public') return [];
  if (route.access === 'local') return [{ localSocket: [] }];
  const session = route.csrf === 'token' ? { session: [], csrf: [] } : { session: [] };
  return route.access === 'session' ? [session] : [session, { apiKey: [] }];
}

function operationOf(route: AdminRoute): Json {
  const operation: Json = {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[/:._-]+(\w)?/g, (_match, letter?: string) => letter?.toUpperCase() ?? '')}`,
    summary: route.summary,
    tags: [
      route.path.startsWith('/api/') ? (route.path.split('/')[2] ?? 'api').replace('.json', '') : 'process',
    ],
    parameters: [
      ...parametersOf(route.schemas.params, 'path'),
      ...parametersOf(route.schemas.query, 'query'),
    ],
    responses: responsesOf(route),
    security: securityOf(route),
  };
  if (route.scopes.length > 0) operation['x-key-scopes'] = route.scopes;
  if (route.permission !== null) operation['x-permission'] = route.permission;
  if (route.schemas.body !== null) {
    operation.requestBody = {
      required: true,
      content: { 'application/json': { schema: schemaOf(route.schemas.body, 'input') } },
    };
  }
  return operation;
}

const COMPONENTS: Json = {
  securitySchemes: {
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: 'tallygate_session',
      description: 'Set by POST /api/auth/login; over TLS its name is __Host-tallygate_session.',
    },
    csrf: {
      type: 'apiKey',
      in: 'header',
      name: 'X-CSRF-Token',
      description: 'From GET /api/auth/csrf; for writes with the session cookie.',
    },
    apiKey: {
      type: 'http',
      scheme: 'bearer',
      description: 'An API key with one of the scopes in x-key-scopes.',
    },
    localSocket: {
      type: 'apiKey',
      in: 'header',
      name: 'x-local-socket',
      description:
        'No header opens these: they are answered only on the owner-only socket in the data directory.',
    },
  },
  schemas: {
    Error: {
      type: 'object',
      required: ['error'],
      properties: {
        error: {
          type: 'object',
          required: ['code', 'message', 'requestId', 'docs'],
          properties: {
            code: { type: 'string', enum: Object.keys(ERROR_TABLE) },
            message: { type: 'string' },
            requestId: { type: 'string' },
            docs: { type: 'string' },
            details: {},
          },
        },
      },
    },
  },
  responses: {
    Error: {
      description: 'Anything that went wrong; `code` is stable and has a page in docs/errors.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  },
};

/** OpenAPI 3.1 of every row that answers data, generated from the schemas that validate the calls. */
export function openApiDocument(routes: readonly AdminRoute[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes.filter((row) => row.cache !== 'static')) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tallygate API', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: COMPONENTS,
  };
}

/** The document's own row. It describes itself as well. */
export function openApiRoute(others: readonly AdminRoute[], version: string): AdminRoute {
  let document: Json | null = null; // made at the first call: starting must stay quick
  const route: AdminRoute = jsonRoute({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description of the API',
    access: 'permitted',
    permission: 'usage.view',
    response: z.record(z.string(), z.unknown()),
    handler: async () => {
      document ??= openApiDocument([...others, route], version);
      return { body: document };
    },
  });
  return route;
}
