import { chunkFrame, eventFrame } from '@tallygate/testkit/event-frames';
import { describe, expect, it } from 'vitest';
import { EventFrames, reframeAsSse } from './event-stream.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('event stream frames (X-04)', () => {
  it('reads the frames that AWS publishes as examples', () => {
    const empty = hex('00000010 00000000 05c248eb 7d98c8ff');
    const payload = hex('0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936');
    const frames = new EventFrames().push(Buffer.concat([empty, payload]));
    expect(frames.map((frame) => frame.payload.toString())).toEqual(['', "{'foo':'bar'}"]);
    expect(frames.map((frame) => [...frame.headers])).toEqual([[], []]);
  });

  it('reads them however the bytes are cut', () => {
    const stream = Buffer.concat([
      chunkFrame({ type: 'message_start', message: { id: 'Grüße 🚀' } }),
      chunkFrame({ type: 'ping' }),
    ]);
    for (let size = 1; size <= stream.length; size++) {
      const reframer = reframeAsSse();
      let text = '';
      for (let at = 0; at < stream.length; at += size)
        text += reframer.push(stream.subarray(at, at + size)).toString();
      expect(text).toBe(
        'event: message_start\ndata: {"type":"message_start","message":{"id":"Grüße 🚀"}}\n\nevent: ping\ndata: {"type":"ping"}\n\n',
      );
    }
  });

  it.each([0, 4, 9, 13, 40, -1])('refuses a frame with a wrong byte at %i', (at) => {
    const frame = chunkFrame({ type: 'ping' });
    const index = at < 0 ? frame.length + at : at;
    frame[index] = (frame[index] ?? 0) ^ 1;
    expect(() => new EventFrames().push(frame)).toThrow('event stream');
  });

  it('turns exceptions into errors of the Messages API, and passes over what it does not know', () => {
    const exception = (type: string) =>
      eventFrame(
        { ':message-type': 'exception', ':exception-type': type },
        JSON.stringify({ message: 'Too "many"' }),
      );
    const reframer = reframeAsSse();
    expect(reframer.push(exception('throttlingException')).toString()).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Too \\"many\\""}}\n\n',
    );
    expect(reframer.push(exception('internalServerException')).toString()).toContain('"api_error"');
    expect(
      reframer.push(eventFrame({ ':message-type': 'event', ':event-type': 'other' }, '{}')),
    ).toHaveLength(0);
  });

  it('lets no payload end a line of its own', () => {
    const data = Buffer.from('{"type":"ping",\n\n"x":1}').toString('base64');
    const frame = eventFrame(
      { ':message-type': 'event', ':event-type': 'chunk' },
      JSON.stringify({ bytes: data }),
    );
    expect(reframeAsSse().push(frame).toString()).toBe('event: ping\ndata: {"type":"ping", "x":1}\n\n');
  });
});
