/**
 * A connection whose messages are MessagePack: `import { msgpack } from "headwater/msgpack"`, then
 * `connect(url, { socket: msgpack(() => import("@msgpack/msgpack")) })`.
 */

import { type Codec, type CodecOption, codecOf } from "./codec.ts"
import { packedSocket } from "./connection/packed.ts"
import type { SocketFactory } from "./connection/session.ts"

/** `library`: the application's own, or what loads it when a socket is opened. */
export const msgpack = (library: CodecOption): SocketFactory =>
  packedSocket("headwater.v1+msgpack", async () => (await codecOf(library)) as Codec)
