/** Records of events that are not JSON: JSON strings, or base64. */

import { type CodecOption, codecOf, placedOf } from "../codec.ts"
import { type Raw, fromBase64 } from "../records.ts"
import type { Offset, WireRecord } from "../transport.ts"

/** Makes the record of an event's data. `base64`: all of them are. */
export async function quoted(
  base64: boolean,
  option: CodecOption | undefined,
): Promise<(data: string, offset: Offset) => WireRecord & { offset: Offset }> {
  const codec = await codecOf(option)
  const rawOf = (data: string): Raw => {
    const value = JSON.parse(data) as string | { base64: string }
    if (typeof value !== "string") return fromBase64(value.base64)
    return base64 ? fromBase64(value) : value
  }
  return (data, offset) => placedOf(rawOf(data), offset, codec)
}
