import { crc32 } from 'node:zlib';
import { ENTRY_OPENED, ENTRY_SETTLED, type EntryType } from './journal.ts';

/**
 * On disk, all integers big-endian:
 *   segment header  "TGJL" · u32 version · u64 segment · u64 end of the previous segment · u32 CRC-32 of the above
 *   frame           u32 payload length · u32 CRC-32 · u8 type · payload (UTF-8)
 * The CRC starts from a value made of the frame's segment, offset and length. So a changed length fails it, and
 * bytes that look like a frame somewhere else (inside a payload, in a copied block) are not one when a damaged
 * segment is searched for the next good frame.
 */
export const FRAME_HEAD_BYTES = 9;
export const SEGMENT_HEADER_BYTES = 28;
/** A larger payload is refused: it bounds what a reader must believe of a damaged length. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

const MAGIC = 0x54474a4c;
const FORMAT_VERSION = 1;
const CRC_OFFSET = SEGMENT_HEADER_BYTES - 4;

export interface SegmentHeader {
  segment: number;
  /** Where the writer says the previous segment ends. Bytes after it never were part of the journal. */
  previousEnd: number;
}

function crcStart(segment: number, offset: number, length: number): number {
  return (Math.imul(segment, 0x9e3779b1) ^ Math.imul(offset + 1, 0x85ebca6b) ^ length) >>> 0;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(FORMAT_VERSION, 4);
  bytes.writeBigUInt64BE(BigInt(header.segment), 8);
  bytes.writeBigUInt64BE(BigInt(header.previousEnd), 16);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/**
 * @returns null when these are not the bytes of a segment header
 * @throws Error when the header is intact but of a format this program does not know
 */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32BE(0) !== MAGIC) return null;
  if (crc32(bytes.subarray(0, CRC_OFFSET)) !== bytes.readUInt32BE(CRC_OFFSET)) return null;
  const version = bytes.readUInt32BE(4);
  if (version !== FORMAT_VERSION) {
    throw new Error(
      `The journal has format ${version}; this program knows format ${FORMAT_VERSION}. ` +
        'Start the version of the program that wrote it once, so that it drains, then this one.',
    );
  }
  return {
    segment: Number(bytes.readBigUInt64BE(8)),
    previousEnd: Number(bytes.readBigUInt64BE(16)),
  };
}

/** Where a frame lies: `at` in `bytes`, `offset` in the segment's file. */
export interface FramePlace {
  segment: number;
  offset: number;
  at: number;
}

/** Completes a frame whose length, type and payload are in place with the CRC of where it will be written. */
export function sealFrame(bytes: Buffer, place: FramePlace): void {
  const { at } = place;
  const length = bytes.readUInt32BE(at);
  const body = bytes.subarray(at + 8, at + FRAME_HEAD_BYTES + length);
  bytes.writeUInt32BE(crc32(body, crcStart(place.segment, place.offset, length)), at + 4);
}

/** Whether the `FRAME_HEAD_BYTES` at `at` may start a frame: cheap, and enough to know how much to read. */
export function plausibleHead(bytes: Buffer, at: number): boolean {
  const type = bytes[at + 8];
  return (type === ENTRY_OPENED || type === ENTRY_SETTLED) && bytes.readUInt32BE(at) <= MAX_PAYLOAD_BYTES;
}

/** Whether the frame at `at`, all of whose bytes are there, is exactly what was written at this place. */
export function intactFrame(bytes: Buffer, place: FramePlace): boolean {
  const { at } = place;
  const length = bytes.readUInt32BE(at);
  const body = bytes.subarray(at + 8, at + FRAME_HEAD_BYTES + length);
  return crc32(body, crcStart(place.segment, place.offset, length)) === bytes.readUInt32BE(at + 4);
}

export function frameType(bytes: Buffer, at: number): EntryType {
  return bytes[at + 8] === ENTRY_OPENED ? ENTRY_OPENED : ENTRY_SETTLED;
}
