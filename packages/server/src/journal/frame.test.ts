import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  FRAME_HEAD_BYTES,
  frameType,
  intactFrame,
  MAX_PAYLOAD_BYTES,
  plausibleHead,
  SEGMENT_HEADER_BYTES,
  sealFrame,
} from './frame.ts';
import { ENTRY_OPENED, ENTRY_SETTLED, type EntryType } from './journal.ts';

const place = { segment: 7, offset: 28, at: 0 };

function frameOf(payload: string, type: EntryType = ENTRY_SETTLED, where = place): Buffer {
  const body = Buffer.from(payload);
  const bytes = Buffer.alloc(where.at + FRAME_HEAD_BYTES + body.length);
  bytes.writeUInt32BE(body.length, where.at);
  bytes[where.at + 8] = type;
  body.copy(bytes, where.at + FRAME_HEAD_BYTES);
  sealFrame(bytes, where);
  return bytes;
}

const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};

describe('the header of a segment', () => {
  it('is these bytes, for ever: journals outlive upgrades', () => {
    expect(encodeSegmentHeader({ segment: 1, previousEnd: 0 }).toString('hex')).toBe(
      '54474a4c0000000100000000000000010000000000000000ee690312',
    );
    expect(encodeSegmentHeader({ segment: 2 ** 40 + 5, previousEnd: 2 ** 33 + 1 }).toString('hex')).toBe(
      '54474a4c0000000100000100000000050000000200000001234dd09e',
    );
  });

  it('comes back as it went, for every number that is exact', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (segment, previousEnd) => {
        const bytes = encodeSegmentHeader({ segment, previousEnd });
        expect(bytes).toHaveLength(SEGMENT_HEADER_BYTES);
        expect(decodeSegmentHeader(bytes)).toEqual({ segment, previousEnd });
        // What follows it in the file is not part of it.
        expect(decodeSegmentHeader(Buffer.concat([bytes, Buffer.from('more')]))).toEqual({
          segment,
          previousEnd,
        });
      }),
    );
  });

  it('is none with any bit flipped, and none when a byte is missing', () => {
    const bytes = encodeSegmentHeader({ segment: 3, previousEnd: 4000 });
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(decodeSegmentHeader(flipped(bytes, bit))).toBeNull();
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeSegmentHeader(bytes.subarray(0, length))).toBeNull();
    }
    expect(decodeSegmentHeader(Buffer.alloc(SEGMENT_HEADER_BYTES))).toBeNull();
  });

  it.each([0, 2, 255])('of format %i, intact, is an error that says what to do', (version) => {
    const bytes = encodeSegmentHeader({ segment: 3, previousEnd: 0 });
    bytes.writeUInt32BE(version, 4);
    expect(decodeSegmentHeader(bytes)).toBeNull();
    bytes.writeUInt32BE(crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4)), SEGMENT_HEADER_BYTES - 4);
    expect(() => decodeSegmentHeader(bytes)).toThrow(`format ${version}; this program knows format 1`);
  });
});

describe('a frame', () => {
  it('is these bytes, for ever', () => {
    expect(frameOf('{"a":1}').toString('hex')).toBe('0000000708d0af38027b2261223a317d');
    expect(frameOf('', ENTRY_OPENED, { segment: 1, offset: 28, at: 0 }).toString('hex')).toBe(
      '0000000094ded36301',
    );
  });

  it('is intact where it was written, whatever it holds and wherever it lies in memory', () => {
    const where = fc.record({ segment: fc.nat(), offset: fc.nat(), at: fc.nat(40) });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), where, (payload, at) => {
        const bytes = frameOf(payload, ENTRY_OPENED, at);
        expect(intactFrame(bytes, at)).toBe(true);
        expect(frameType(bytes, at.at)).toBe(ENTRY_OPENED);
        // The bytes around it do not matter.
        expect(intactFrame(Buffer.concat([bytes, Buffer.from('x')]), at)).toBe(true);
      }),
    );
  });

  it('is not intact anywhere else: another offset, another segment', () => {
    const bytes = frameOf('{"a":1}');
    for (const shift of [-28, -1, 1, 9, 1000]) {
      expect(intactFrame(bytes, { ...place, offset: place.offset + shift })).toBe(false);
    }
    for (const segment of [0, 6, 8, 7 + 2 ** 16])
      expect(intactFrame(bytes, { ...place, segment })).toBe(false);
    // Segment and offset do not make up for each other.
    expect(intactFrame(bytes, { segment: 28, offset: 7, at: 0 })).toBe(false);
  });

  it('is not intact with any bit of checksum, type or payload flipped', () => {
    const bytes = frameOf('payload');
    for (let bit = 4 * 8; bit < bytes.length * 8; bit++) {
      expect(intactFrame(flipped(bytes, bit), place), `bit ${bit}`).toBe(false);
    }
  });

  it('is not intact with another length, even where the payload is zeros and a shorter one looks the same', () => {
    const bytes = frameOf('\0\0\0\0\0\0\0\0');
    for (let length = 0; length < 8; length++) {
      const shorter = Buffer.from(bytes);
      shorter.writeUInt32BE(length, 0);
      expect(intactFrame(shorter, place), String(length)).toBe(false);
    }
  });

  it('is plausible by its type and a length within the bound', () => {
    const head = (length: number, type: number): Buffer => {
      const bytes = Buffer.alloc(3 + FRAME_HEAD_BYTES);
      bytes.writeUInt32BE(length, 3);
      bytes[3 + 8] = type;
      return bytes;
    };
    for (const type of [ENTRY_OPENED, ENTRY_SETTLED]) {
      expect(plausibleHead(head(0, type), 3)).toBe(true);
      expect(plausibleHead(head(MAX_PAYLOAD_BYTES, type), 3)).toBe(true);
      expect(plausibleHead(head(MAX_PAYLOAD_BYTES + 1, type), 3)).toBe(false);
      expect(plausibleHead(head(0xffff_ffff, type), 3)).toBe(false);
    }
    for (const type of [0, 3, 255]) expect(plausibleHead(head(1, type), 3)).toBe(false);
    expect(frameType(head(1, ENTRY_SETTLED), 3)).toBe(ENTRY_SETTLED);
  });

  it('a block of zeros, as a crash may leave behind, is no frame', () => {
    const zeros = Buffer.alloc(64);
    for (let at = 0; at < 32; at++) expect(plausibleHead(zeros, at)).toBe(false);
  });
});
