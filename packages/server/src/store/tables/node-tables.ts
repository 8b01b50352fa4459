export interface NodeTable {
  id: string;
  process: string;
  roles: string;
  counts_in: string;
  version: string;
  started_at_ms: number;
  expires_at_ms: number;
}

export interface JobTable {
  name: string;
  runs: number;
  node: string;
  token: number;
  due_at_ms: number;
  started_at_ms: number;
  ended_at_ms: number | null;
  failed: number;
}
