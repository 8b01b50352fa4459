import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountView } from '@tallygate/contract/api/accounts';
import type { ApiKeyCreated, KeyRestrictions } from '@tallygate/contract/api/keys';
import type { ProjectView } from '@tallygate/contract/api/projects';
import type { RuleActions, RuleConditions } from '@tallygate/contract/api/rules';
import type { RequestDetailView, RequestView, TotalsView } from '@tallygate/contract/api/usage';
import { eventually } from './eventually.ts';
import { type AdminAnswer, controlRequest, type GateProcess, startGateProcess } from './gate-process.ts';

export interface AccountSpec {
  provider: string;
  baseUrl: string;
  name?: string;
  preset?: string;
  apiKey?: string;
  models?: string[];
  priority?: number;
  weight?: number;
  /** Pools it is a member of, for the data plane alone. */
  pools?: string[];
  /** Default true: the fakes live on 127.0.0.1. */
  allowPrivateUpstream?: boolean;
}
export interface KeySpec {
  name?: string;
  project?: string;
  scopes?: string[];
  restrictions?: Partial<KeyRestrictions>;
}

/** Limits as a key has them, from those that a test names; null for none. */
export function fullRestrictions(given: Partial<KeyRestrictions> | undefined): KeyRestrictions | null {
  return given === undefined ? null : { addresses: [], origins: [], models: [], providers: [], ...given };
}
export interface GateOptions {
  accounts?: readonly AccountSpec[];
  /** Default: one key with the scope `gateway`. */
  keys?: readonly KeySpec[];
  projects?: readonly { slug: string; disconnectPolicy?: 'abort' | 'drain' }[];
  /** For the data plane alone; a pool's id is its name there. */
  rules?: readonly { name: string; conditions: RuleConditions; actions: RuleActions }[];
  /** Settings by their environment names. */
  config?: Readonly<Record<string, string>>;
  /** An existing data directory; it is kept on `stop`. */
  dataDir?: string;
  /** Put before the command: `['taskset', '-c', '0']`. */
  prefix?: readonly string[];
}

/** A real server process with accounts and keys. */
export interface Gate {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  /** The first key. */
  readonly key: string;
  readonly keys: readonly ApiKeyCreated[];
  readonly accounts: readonly AccountView[];
  /** A request to the administrative API; `body` is sent as JSON. */
  adminRequest(method: string, path: string, body?: unknown): Promise<AdminAnswer>;
  /** As `adminRequest`, and throws unless the answer is 2xx. */
  admin<T>(method: string, path: string, body?: unknown): Promise<T>;
  addAccount(spec: AccountSpec): Promise<AccountView>;
  addKey(spec?: KeySpec): Promise<ApiKeyCreated>;
  revokeKey(id: string): Promise<void>;
  pauseAccount(id: string, paused: boolean): Promise<void>;
  /** Every row of the ledger, newest first. */
  requestsJson(): Promise<RequestView[]>;
  /** The ledger row of a request once it is there, with attempts and sub-calls. */
  row(id: string): Promise<RequestDetailView>;
  /** Waits until the ledger has this many requests (of those that `which` picks), and gives them, newest first. */
  untilRows(count: number, which?: (row: RequestView) => boolean): Promise<RequestView[]>;
  totals(): Promise<TotalsView>;
  output(): string;
  /** Asks the server to stop and waits; gives its exit code. */
  terminate(): Promise<number | null>;
  /** Ends the process without warning, as a power cut would. */
  kill9(): Promise<void>;
  /** Starts a new process on the same data directory. */
  restart(): Promise<void>;
  /** Ends the server and removes its data directory, unless the caller brought it. */
  stop(): Promise<void>;
}

const PAGE = 200;
/** Long enough, on no list of well-known ones; for a throw-away server. */
const OWNER = { DASHBOARD_USERNAME: 'owner', DASHBOARD_PASSWORD: 'a-throwaway-Passphrase-91' };

function accountBody(spec: AccountSpec, index: number): Record<string, unknown> {
  const {
    name = `${spec.provider}-${index}`,
    apiKey = `sk-upstream-${spec.provider}-${index}`,
    ...rest
  } = spec;
  return { allowPrivateUpstream: true, ...rest, name, apiKey };
}

class RunningGate implements Gate {
  readonly dataDir: string;
  readonly keys: ApiKeyCreated[] = [];
  readonly accounts: AccountView[] = [];
  readonly #options: GateOptions;
  #process: GateProcess;

  constructor(options: GateOptions, dataDir: string, started: GateProcess) {
    this.#options = options;
    this.dataDir = dataDir;
    this.#process = started;
  }

  get url(): string {
    return this.#process.url;
  }
  get port(): number {
    return this.#process.port;
  }
  get pid(): number {
    return this.#process.pid;
  }
  get key(): string {
    const [first] = this.keys;
    if (!first) throw new Error('this gate was started without keys');
    return first.key;
  }
  output(): string {
    return this.#process.output();
  }

  adminRequest(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    return controlRequest(this.dataDir, { method, path, body });
  }

  async admin<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.adminRequest(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.json)}`);
    }
    return answer.json as T;
  }

  async addAccount(spec: AccountSpec): Promise<AccountView> {
    const made = await this.admin<AccountView>(
      'POST',
      '/api/accounts',
      accountBody(spec, this.accounts.length),
    );
    this.accounts.push(made);
    return made;
  }

  async addKey(spec: KeySpec = {}): Promise<ApiKeyCreated> {
    const { name = `key-${this.keys.length}`, scopes = ['gateway'], project, restrictions } = spec;
    const body = { name, scopes, ...(project ? { project } : {}), ...(restrictions ? { restrictions } : {}) };
    const made = await this.admin<ApiKeyCreated>('POST', '/api/keys', body);
    this.keys.push(made);
    return made;
  }

  async revokeKey(id: string): Promise<void> {
    await this.admin('DELETE', `/api/keys/${id}`);
  }

  async pauseAccount(id: string, paused: boolean): Promise<void> {
    await this.admin('PATCH', `/api/accounts/${id}`, { paused });
  }

  async requestsJson(): Promise<RequestView[]> {
    const rows: RequestView[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { requests: RequestView[]; nextCursor: string | null } = await this.admin(
        'GET',
        `/api/requests?limit=${PAGE}${after}`,
      );
      rows.push(...page.requests);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return rows;
  }

  row(id: string): Promise<RequestDetailView> {
    return eventually(`request ${id} in the ledger`, async () => {
      const answer = await this.adminRequest('GET', `/api/requests/${encodeURIComponent(id)}`);
      return answer.status === 200 ? (answer.json as RequestDetailView) : null;
    });
  }

  untilRows(count: number, which: (row: RequestView) => boolean = () => true): Promise<RequestView[]> {
    return eventually(`${count} requests in the ledger`, async () => {
      const rows = (await this.requestsJson()).filter(which);
      return rows.length >= count ? rows : null;
    });
  }

  totals(): Promise<TotalsView> {
    const hourMs = 3_600_000;
    const nowMs = Date.now();
    const [from, to] = [nowMs - 24 * hourMs, nowMs + hourMs].map((ms) => new Date(ms).toISOString());
    return this.admin('GET', `/api/usage/totals?from=${from}&to=${to}`);
  }

  async terminate(): Promise<number | null> {
    this.#process.child.kill('SIGTERM');
    return (await this.#process.exited).code;
  }

  async kill9(): Promise<void> {
    this.#process.child.kill('SIGKILL');
    await this.#process.exited;
  }

  async restart(): Promise<void> {
    this.#process = await startGateProcess(processOptions(this.#options, this.dataDir));
  }

  async stop(): Promise<void> {
    await this.kill9();
    if (this.#options.dataDir === undefined) await rm(this.dataDir, { recursive: true, force: true });
  }
}

function processOptions(options: GateOptions, dataDir: string) {
  const env = { ...OWNER, ...options.config };
  return { dataDir, env, prefix: options.prefix ?? [] };
}

/** Starts the real server on a fresh data directory, with the accounts, projects and keys asked for. */
export async function startGate(options: GateOptions = {}): Promise<Gate> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tallygate-test-')));
  const started = await startGateProcess(processOptions(options, dataDir)).catch(async (error: unknown) => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  const gate = new RunningGate(options, dataDir, started);
  try {
    for (const project of options.projects ?? [])
      await gate.admin<ProjectView>('POST', '/api/projects', project);
    for (const account of options.accounts ?? []) await gate.addAccount(account);
    for (const key of options.keys ?? [{}]) await gate.addKey(key);
  } catch (error) {
    await gate.stop();
    throw error;
  }
  return gate;
}
