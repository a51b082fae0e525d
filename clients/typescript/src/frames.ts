/**
 * Records that lie one behind the other in a body: MessagePack values, and Protobuf messages with their lengths. What they are is not
 * looked at, only where each ends. Loaded for streams of these types.
 */

/** Whether records of the type lie so. */
export const isMsgpack = (type: string): boolean => /^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(type)
export const isDelimited = (type: string): boolean =>
  /^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(type)

/** The records of a body, each by itself: of Protobuf without its length. Throws a RangeError where a record is cut. */
export function split(body: Uint8Array, type: string): Uint8Array[] {
  if (!isMsgpack(type) && !isDelimited(type)) return [body]
  const records: Uint8Array[] = []
  for (let at = 0; at < body.length; ) {
    const [from, end] = isMsgpack(type) ? [at, endOfValue(body, at)] : spanOf(body, at)
    if (end > body.length) throw new RangeError("a record is cut")
    records.push(body.subarray(from, end))
    at = end
  }
  return records
}

/** A record as a body has it: of delimited Protobuf with its length in front. */
export function framed(record: Uint8Array, type: string): Uint8Array {
  if (!isDelimited(type)) return record
  const length: number[] = []
  let left = record.length
  for (; left > 127; left = Math.floor(left / 128)) length.push((left % 128) + 128)
  return Uint8Array.of(...length, left, ...record)
}

/** Where a message begins and ends whose length is at `at`: a varint of at most 32 bits. */
function spanOf(body: Uint8Array, at: number): [from: number, end: number] {
  let length = 0
  for (let factor = 1; factor <= 128 ** 4; factor *= 128) {
    const byte = body[at++] ?? NaN
    length += (byte % 128) * factor
    if (!(byte > 127)) return Number.isNaN(byte) ? [at, Infinity] : [at, at + length]
  }
  throw new RangeError("a length has more than 32 bits")
}

/** Bytes behind the head of what has a fixed size, by its head from 0xca on: floats, whole numbers, extensions. */
const FIXED = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17]

/** Where the MessagePack value ends that begins at `at`. */
function endOfValue(body: Uint8Array, at: number): number {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  /** A number of 1, 2 or 4 bytes; a RangeError where it is cut. */
  const number = (log: number): number => {
    const value = log === 0 ? view.getUint8(at) : log === 1 ? view.getUint16(at) : view.getUint32(at)
    at += 1 << log
    return value
  }
  for (let left = 1; left > 0 && at <= body.length; left -= 1) {
    const head = number(0)
    let skipped = 0
    if (head < 0x80 || head > 0xdf) continue
    if (head < 0x90) left += 2 * (head % 16)
    else if (head < 0xa0) left += head % 16
    else if (head < 0xc0) skipped = head % 32
    else if (head === 0xc1) throw new RangeError("0xc1 begins no value of MessagePack")
    else if (head < 0xc4) continue
    else if (head < 0xc7) skipped = number(head - 0xc4)
    else if (head < 0xca) skipped = number(head - 0xc7) + 1
    else if (head < 0xd9) skipped = FIXED[head - 0xca] as number
    else if (head < 0xdc) skipped = number(head - 0xd9)
    else if (head < 0xde) left += number(head - 0xdb)
    else left += 2 * number(head - 0xdd)
    at += skipped
  }
  return at
}
