/** Messages of a connection as MessagePack and Protobuf: what they are made of, and what is made of them. */

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import * as library from "@msgpack/msgpack"
import protobufjs from "protobufjs"
import minimal from "protobufjs/minimal.js"
import type { Codec } from "../src/index.ts"
import { SAID, SHAPES, TOLD, messagesOf } from "../src/connection/messages-protobuf.ts"
import { packed, unpacked } from "../src/connection/packed.ts"

const PROTO = new URL("../../../docs/reference/websocket.proto", import.meta.url)
const { root } = protobufjs.parse(readFileSync(PROTO, "utf8"), { keepCase: true })
const ClientMessage = root.lookupType("headwater.v1.ClientMessage")
const ServerMessage = root.lookupType("headwater.v1.ServerMessage")
const messages = messagesOf(minimal)

const KINDS: Record<string, string> = { int64: "i", double: "d", bool: "o", string: "s", bytes: "b", Producer: "1", Config: "2", Members: "3", Principal: "p" }

test("what the tables have is in the reference, by the same numbers; more there is passed over", () => {
  for (const [whole, table] of [[ClientMessage, SAID], [ServerMessage, TOLD]] as const) {
    for (const [name, [number, fields]] of Object.entries(table)) {
      assert.equal(whole.fields[name]?.id, number, name)
      same(fields, root.lookupType(`headwater.v1.${whole.fields[name]?.type}`))
    }
  }
  for (const [shape, type] of [["1", "Producer"], ["2", "Config"], ["3", "Members"]] as const) same(SHAPES[shape] ?? [], root.lookupType(`headwater.v1.${type}`))
})

function same(fields: { name: string; number: number; kind: string }[], type: protobufjs.Type): void {
  for (const { name, number, kind } of fields) {
    const field = type.fields[name]
    const of = KINDS[field?.type ?? ""]
    assert.deepEqual([number, kind], [field?.id, field?.repeated ? of?.toUpperCase() : of], `${type.name}.${name}`)
  }
}

const SAYS = [
  { t: "hello", token: "secret", name: "ada" },
  { t: "sub", id: 1, path: "rooms/7", from: "now", window: 65_536, envelope: true, signals: true, presence: true },
  { t: "append", id: 2, path: "rooms/7", p: ["p", 1, 300], r: [{ text: "hé" }, 2, null], create: true, close: true },
  { t: "append", id: 3, path: "bytes", p: ["p", 0, 0], b: [Buffer.from([0, 255]).toString("base64")], create: { ttl: 60 } },
  { t: "signal", path: "rooms/7", data: { on: [true] }, topic: "typing", keep: 5 },
  { t: "here", id: 4, path: "rooms/7", state: { typing: false }, key: "k", member: "ada" },
  { t: "pong" },
]

test("what is said is what the reference's own coder reads", () => {
  for (const message of SAYS) {
    const { t, ...fields } = message as { t: string; [field: string]: unknown }
    const read = ClientMessage.toObject(ClientMessage.decode(messages.encode(packed(message))), { longs: Number, bytes: String })
    const said = { ...(read[t] as Record<string, unknown>) }
    const text = (base64: unknown): unknown => JSON.parse(Buffer.from(base64 as string, "base64").toString())
    if (said.r) said.r = (said.r as string[]).map(text)
    if (said.data) said.data = text(said.data)
    if (said.state) said.state = text(said.state)
    if (said.p) {
      const { id, epoch = 0, seq = 0 } = said.p as { id: string; epoch?: number; seq?: number }
      said.p = [id, epoch, seq]
    }
    if (fields.create === true) fields.create = {}
    assert.deepEqual(said, fields)
    assert.deepEqual(unpacked(library.decode(library.encode(packed(message), { ignoreUndefined: true })) as object as Record<string, unknown>), message)
  }
  const left = ClientMessage.decode(messages.encode(packed({ t: "here", path: "a", state: null }))) as unknown as { here: { state: Uint8Array } }
  assert.equal(Buffer.from(left.here.state).toString(), "null", "the member leaves")
})

const TELLS: Record<string, unknown>[] = [
  { t: "welcome", server: "headwater", heartbeat: 15, window: 262_144 },
  { t: "sub", id: 1, s: 3, path: "rooms/7", type: "application/json", from: "a_1", tail: "a_2", earliest: "a_0" },
  { t: "data", s: 3, o: "a_3", e: ["1", "2"], b: ["MQ==", "Mg==", "Mw=="] },
  { t: "data", s: 3, o: "a_2", e: ["1"], b: ["MQ==", "Mg=="], at: [1.5, 2.25], by: [{ subject: "u1", issuer: "https://app.example" }, null] },
  { t: "page", id: 4, from: "a_0", o: "a_1", b: ["MQ=="], at: [1.5], live: true, by: [{ subject: "u1" }] },
  { t: "err", code: "refused", status: 403, detail: "not you", id: 2, after: 5, facts: { why: ["test"] } },
  { t: "signal", s: 3, data: { on: true }, from: "ada" },
  { t: "signal", s: 3, data: { on: true }, from: "ada", by: { subject: "ada", issuer: "https://app.example" } },
  { t: "presence", s: 3, version: 2, count: 501, members: null },
  { t: "presence", s: 3, version: 3, count: 1, members: [{ id: "ada", state: null }] },
  { t: "presence", s: 3, version: 4, count: 1, members: [] },
  { t: "presence", s: 3, version: 5, count: 1, joined: [{ id: "bob", state: 1 }], left: ["ada"] },
  { t: "drain", after: 2.5 },
]

/** As the server writes it: `facts` and values are JSON texts. */
function written(message: Record<string, unknown>): Uint8Array {
  const { t, members, by, ...rest } = packed(message)
  const named = Array.isArray(by) ? { by: by.map((each: unknown) => each ?? {}) } : by ? { by } : {}
  const fields = { ...rest, ...named }
  const given = members === undefined ? fields : { ...fields, members: members === null ? { many: true } : { member: members } }
  return ServerMessage.encode(ServerMessage.create({ [t as string]: given })).finish()
}

test("what is told is what the server meant, and what is not known is passed over", () => {
  for (const message of TELLS) assert.deepEqual(unpacked(messages.decode(written(message)) as Record<string, unknown>), message)
  const later = minimal.Writer.create().uint32(99 * 8 + 2).fork().uint32(8).int64(1).ldelim().finish()
  assert.deepEqual(messages.decode(later), { t: "" })
  const known = written({ t: "live", s: 3, o: "a_3" })
  const more = minimal.Writer.create().uint32(5 * 8 + 2).fork().uint32(8).int64(3).uint32(99 * 8 + 2).string("new").uint32(18).string("a_3").ldelim().finish()
  assert.deepEqual(messages.decode(more), messages.decode(known))
})

test("any bytes give a message or an error, and are not read for ever", () => {
  const whole = TELLS.map(written)
  const decode = (bytes: Uint8Array, codec: Codec): void => {
    try {
      codec.decode(bytes)
    } catch (error) {
      assert.ok(error instanceof Error)
    }
  }
  for (const bytes of whole) {
    for (let cut = 0; cut < bytes.length; cut += 1) decode(bytes.subarray(0, cut), messages)
    for (let at = 0; at < bytes.length; at += 1) {
      const wrong = bytes.slice()
      wrong[at] = 255 - (wrong[at] as number)
      decode(wrong, messages)
    }
  }
})
