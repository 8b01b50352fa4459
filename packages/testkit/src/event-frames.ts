import { crc32 } from 'node:zlib';

/** A frame of `application/vnd.amazon.eventstream` with text headers, for fakes of AWS. */
export function eventFrame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const parts = Object.entries(headers).map(([name, value]) => {
    const part = Buffer.alloc(4);
    part.writeUInt8(Buffer.byteLength(name), 0);
    part.writeUInt8(7, 1);
    part.writeUInt16BE(Buffer.byteLength(value), 2);
    return Buffer.concat([
      part.subarray(0, 1),
      Buffer.from(name),
      part.subarray(1, 2),
      part.subarray(2),
      Buffer.from(value),
    ]);
  });
  const head = Buffer.concat(parts);
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const whole = Buffer.concat([prelude, head, body]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(whole));
  return Buffer.concat([whole, checksum]);
}

/** The frame in which Bedrock sends an event of a model's stream. */
export function chunkFrame(data: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(data)).toString('base64');
  const headers = { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' };
  return eventFrame(headers, JSON.stringify({ bytes, p: 'abcdef' }));
}
