/**
 * A connection whose messages are Protobuf: `import { protobuf } from "headwater/protobuf"`, then
 * `connect(url, { socket: protobuf(() => import("protobufjs/minimal")) })`.
 */

import type { Codec } from "./codec.ts"
import { messagesOf } from "./connection/messages-protobuf.ts"
import type { ProtobufLibrary } from "./connection/messages-protobuf.ts"
import { packedSocket } from "./connection/packed.ts"
import type { SocketFactory } from "./connection/session.ts"

/** What an import of it gives, however it is bundled. */
type Imported = ProtobufLibrary | { default: ProtobufLibrary }

/** `library`: `protobufjs/minimal` of the application's, or what loads it when a socket is opened. */
export const protobuf = (library: Imported | (() => Promise<Imported>)): SocketFactory =>
  packedSocket("headwater.v1+protobuf", async (): Promise<Codec> => {
    const found = typeof library === "function" ? await library() : library
    return messagesOf("default" in found ? found.default : found)
  })

export type { ProtobufLibrary } from "./connection/messages-protobuf.ts"
