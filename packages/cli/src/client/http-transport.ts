import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CliError } from '../cli-error.ts';
import { parseEventStream } from './event-stream.ts';
import {
  type AdminAnswer,
  type AdminRequest,
  type AdminTransport,
  queryText,
  type StreamRequest,
  type Target,
  workspaceHeader,
} from './transport.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Where the server listens. */
export type Endpoint = { socketPath: string; workspace: string | undefined } | { url: URL; adminKey: string };

function describeFailure(error: unknown, target: Target): CliError {
  if (error instanceof CliError) return error;
  const { code = 'connection failed' } = error as NodeJS.ErrnoException;
  const local = target.kind === 'local';
  return new CliError('server_unreachable', `Could not talk to ${target.description} (${code}).`, {
    why: local
      ? 'The server stopped while this command was talking to it.'
      : 'Nothing answered at that address.',
    fix: local
      ? 'Run the command again; look at the output of the server if it stays so.'
      : 'Check the URL given with --server, that the server runs, and that no firewall is in between.',
    cause: error,
  });
}

function optionsFor(endpoint: Endpoint, method: string, path: string): RequestOptions {
  if ('socketPath' in endpoint) {
    const headers = { host: 'localhost', ...workspaceHeader(endpoint.workspace) };
    return { socketPath: endpoint.socketPath, method, path, headers };
  }
  const { url, adminKey } = endpoint;
  return {
    // `[::1]` loses its brackets: node wants the address itself.
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    method,
    path: `${url.pathname.replace(/\/$/, '')}${path}`,
    headers: { authorization: `Bearer ${adminKey}` },
  };
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      response.destroy();
      throw new CliError('bad_answer', 'The server sent an answer that is too large.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(status: number, text: string, target: Target): AdminAnswer {
  if (text === '') return { status, json: null };
  try {
    return { status, json: JSON.parse(text) };
  } catch (cause) {
    throw new CliError(
      'bad_answer',
      `${target.description} answered ${status} with something that is not JSON.`,
      {
        why: 'Something else than Tallygate listens there, or a proxy in between answered.',
        fix: 'Check the address; /healthz of a Tallygate server answers in JSON.',
        cause,
      },
    );
  }
}

/** Sends the request and resolves when the head of the answer is there. Redirects are not followed: they would carry the key elsewhere. */
function open(
  endpoint: Endpoint,
  options: RequestOptions,
  body: string | null,
): Promise<{ response: IncomingMessage; sent: ClientRequest }> {
  const send = 'url' in endpoint && endpoint.url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = send({ ...options, agent: false });
    sent.once('error', reject);
    sent.once('response', (response) => resolve({ response, sent }));
    sent.end(body ?? undefined);
  });
}

async function* decode(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) yield chunk;
}

/** The administrative API over HTTP: through the owner-only socket, or over the network with an admin key. */
export function createHttpTransport(endpoint: Endpoint, target: Target): AdminTransport {
  async function request(call: AdminRequest): Promise<AdminAnswer> {
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    const options = optionsFor(endpoint, call.method, `${call.path}${queryText(call.query)}`);
    const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const signal = AbortSignal.timeout(timeoutMs);
    const headers: Record<string, string | number> = {
      ...(options.headers as Record<string, string>),
      accept: 'application/json',
    };
    if (body !== null) {
      headers['content-type'] = 'application/json';
      headers['content-length'] = Buffer.byteLength(body);
    }
    try {
      const { response } = await open(endpoint, { ...options, headers, signal }, body);
      return parseAnswer(response.statusCode ?? 0, await readText(response), target);
    } catch (error) {
      if (!signal.aborted) throw describeFailure(error, target);
      throw new CliError(
        'server_timeout',
        `${target.description} did not answer within ${timeoutMs / 1000} s.`,
        {
          fix: 'Look at the output of the server, then try again.',
          cause: error,
        },
      );
    }
  }

  async function stream(call: StreamRequest) {
    const options = optionsFor(endpoint, 'GET', `${call.path}${queryText(call.query)}`);
    const headers: Record<string, string> = {
      ...(options.headers as Record<string, string>),
      accept: 'text/event-stream',
    };
    if (call.lastEventId !== undefined) headers['last-event-id'] = call.lastEventId;
    try {
      const { response } = await open(endpoint, { ...options, headers, signal: call.signal }, null);
      if (response.statusCode === 200) return parseEventStream(decode(response));
      const answer = parseAnswer(response.statusCode ?? 0, await readText(response), target);
      const { errorOfAnswer } = await import('./api-error.ts');
      throw errorOfAnswer(answer, target);
    } catch (error) {
      throw describeFailure(error, target);
    }
  }

  return { target, request, stream, close: async () => {} };
}
