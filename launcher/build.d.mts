export declare function ensureBuilt(
  root: string,
  runtime: string,
  scope: 'program' | 'everything',
): Promise<void>;
