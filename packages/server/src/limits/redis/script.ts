import { createHash } from 'node:crypto';

/** A Lua script: Redis runs it as one step, so nobody sees half of a decision. */
export interface Script {
  lua: string;
  sha1: string;
}

export function script(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}
