/** Bytes that hold several records, as their type keeps them apart. */

import { type Codec, recordOf } from "../codec.ts"
import { load } from "../lazy.ts"
import { unreadable } from "../refusals.ts"
import type { Attempt, WireRecord } from "../transport.ts"

/** What takes a body of the type apart; of other types than MessagePack and Protobuf a body is one record, and nothing is loaded. */
export async function splitOf(type: string, { parts }: Attempt): Promise<(bytes: Uint8Array) => Uint8Array[]> {
  if (!/msgpack|protobuf/i.test(type)) return (bytes) => [bytes]
  const { split } = await load(parts.frames)
  return (bytes) => split(bytes, type)
}

export function apart(bytes: Uint8Array, split: (bytes: Uint8Array) => Uint8Array[], codec: Codec | undefined): WireRecord[] {
  if (!bytes.length) return []
  try {
    return split(bytes).map((raw) => recordOf(raw, codec))
  } catch (cause) {
    throw unreadable(cause, "truncated")
  }
}
