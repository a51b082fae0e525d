/** Values of records that are neither JSON nor text, by a library of the application's. */

import { load } from "./lazy.ts"
import type { Raw } from "./records.ts"
import type { Offset, WireRecord } from "./transport.ts"

/** What `@msgpack/msgpack` exports, for one; of a Protobuf message two lines. */
export interface Codec {
  // What comes and goes is the application's.
  encode(value: any): Uint8Array
  decode(bytes: Uint8Array): any
}

/** A function is called when the first record is read or written, and may load it: `() => import("@msgpack/msgpack")`. */
export type CodecOption = Codec | (() => Codec | Promise<Codec>)

/** What could not be loaded is a lost network. */
export const codecOf = async (option: CodecOption | undefined): Promise<Codec | undefined> =>
  typeof option === "function" ? load(async () => option()) : option

/** A record; its value is made of its bytes when somebody wants it. */
export function recordOf(raw: Raw, codec: Codec | undefined): WireRecord {
  if (!codec || typeof raw === "string") return { raw }
  return {
    raw,
    get value(): unknown {
      return codec.decode(raw)
    },
  }
}

/** The same, with its offset. */
export const placedOf = (raw: Raw, offset: Offset, codec: Codec | undefined): WireRecord & { offset: Offset } =>
  // Not by spreading, which would ask for the value.
  Object.assign(recordOf(raw, codec), { offset })
