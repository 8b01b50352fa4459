import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { HeldHead } from './held-head.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const ANSWERS = 1_000;
const HEADERS = Array.from({ length: 30 }, (_, i) => [`x-header-of-an-upstream-${i}`, `value ${i}`]).flat();

/** Bytes that an answer holds after its head was written this way. */
function heldBytes(write: (response: ServerResponse) => void): number {
  const answers: ServerResponse[] = [];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < ANSWERS; i++) {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    write(response);
    answers.push(response);
  }
  collect();
  return (process.memoryUsage().heapUsed - before) / answers.length;
}

it('a head that was written is one text, and not the pieces that Node made it of', () => {
  const plainly = (response: ServerResponse) => void response.writeHead(200, [...HEADERS]);
  heldBytes(plainly); // code and shapes are not what is compared
  const pieces = heldBytes(plainly);
  const held = heldBytes((response) => new HeldHead(200, [...HEADERS]).write(response, null));
  expect(pieces - held).toBeGreaterThan(1_000);
});
