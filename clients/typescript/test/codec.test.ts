/** Streams of MessagePack and Protobuf, by libraries of the application's that are loaded when they are wanted. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import * as msgpack from "@msgpack/msgpack"
import protobuf from "protobufjs"
import { split, framed } from "../src/frames.ts"
import { type Codec, type HeadwaterError, type StreamOptions, stream } from "../src/index.ts"
import { Fake, NDJSON, at, reply } from "./support/server.ts"
import { World } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"
const MSGPACK = "application/msgpack"
const DELIMITED = "application/x-protobuf; encoding=delimited"
const VALUES = [1, "zwei", { three: [3, null, true, 2.5] }, [], new Uint8Array([4, 5]), "x".repeat(300), -1, 70_000, 2 ** 40]

const Step = protobuf.parse('syntax = "proto3"; message Step { int32 n = 1; string name = 2; }').root.lookupType("Step")
const step: Codec = {
  encode: (value) => Step.encode(value).finish(),
  decode: (bytes) => Step.toObject(Step.decode(bytes)),
}

let world: World
beforeEach(() => {
  world = new World()
})

const open = (fake: Fake, options: StreamOptions<unknown>) => stream<unknown>(URL_, { fetch: fake.fetch, environment: world, ...options })
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")
const joined = (parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts))

async function values(records: AsyncIterable<{ data: unknown }>): Promise<unknown[]> {
  const got: unknown[] = []
  for await (const { data } of records) got.push(data)
  return got
}

/** The records of a body as each transport has them. */
const answers: Record<string, (parts: Uint8Array[], type: string) => Response> = {
  ndjson: (parts) =>
    reply([...parts.map((part, n) => `{"offset":"${at(n + 1)}","base64":"${base64(part)}"}`), `{"control":"closed","offset":"${at(99)}"}`, ""].join("\n"), NDJSON),
  sse: (parts) =>
    reply(`${parts.map((part, n) => `id:${at(n + 1)}\ndata:"${base64(part)}"\n\n`).join("")}event:stream-closed\nid:${at(99)}\ndata:{}\n\n`, {
      "content-type": "text/event-stream",
      "stream-sse-data-encoding": "base64",
    }),
  "live-sse": (parts, type) =>
    reply(`event:data\ndata:${base64(joined(parts.map((part) => framed(part, type))))}\n\nevent:control\ndata:{"streamNextOffset":"${at(99)}","streamClosed":true}\n\n`, {
      "content-type": "text/event-stream",
      "stream-sse-data-encoding": "base64",
    }),
  "long-poll": (parts, type) =>
    new Response(joined(parts.map((part) => framed(part, type))), {
      headers: { "content-type": type, "stream-next-offset": at(99), "stream-up-to-date": "true", "stream-closed": "true" },
    }),
}

for (const [transport, answer] of Object.entries(answers)) {
  test(`${transport}: each value by itself, by a library that is loaded with the first record`, async () => {
    let loads = 0
    const codec = async (): Promise<Codec> => {
      loads += 1
      return import("@msgpack/msgpack")
    }
    const parts = VALUES.map((value) => msgpack.encode(value))
    const mixed = open(new Fake(() => answer(parts, MSGPACK)), { codec, type: MSGPACK, transport: transport as "sse" })
    assert.equal(loads, 0)
    assert.deepEqual(await values(mixed), VALUES)
    const steps = [{ n: 1, name: "one" }, {}, { n: 300, name: "y".repeat(200) }]
    const messages = steps.map((each) => step.encode(each))
    const typed = open(new Fake(() => answer(messages, DELIMITED)), { codec: step, type: DELIMITED, transport: transport as "sse" })
    assert.deepEqual(await values(typed), steps)
  })

  test(`${transport}: without a codec a record is its bytes; one that the codec refuses is told, and skipped`, async () => {
    const parts = [msgpack.encode(1), Uint8Array.of(0xa1, 0x78), msgpack.encode(3)]
    const plain = open(new Fake(() => answer(parts, MSGPACK)), { type: MSGPACK, transport: transport as "sse" })
    assert.deepEqual(await values(plain), parts)
    const codec: Codec = { encode: msgpack.encode, decode: (bytes) => (typeof msgpack.decode(bytes) === "string" ? assert.fail("no text") : msgpack.decode(bytes)) }
    const reader = open(new Fake(() => answer(parts, MSGPACK)), { codec, type: MSGPACK, transport: transport as "sse" }).read()
    const got: unknown[] = []
    const first = await (async () => {
      for await (const { data } of reader) got.push(data)
    })().catch((error: HeadwaterError) => error)
    assert.equal(first?.code, "bad-record")
    assert.deepEqual(first?.facts.raw, parts[1])
    reader.skip()
    for await (const { data } of reader) got.push(data)
    assert.deepEqual(got, [1, 3])
  })
}

test("what is appended is a body of the type: values one behind the other, messages with their lengths", async () => {
  for (const [type, codec, given] of [[MSGPACK, msgpack, VALUES], [DELIMITED, step, [{ n: 1 }, {}, { name: "z".repeat(200) }]]] as const) {
    const bodies: Uint8Array[] = []
    const fake = new Fake(({ body }) => (bodies.push(body), new Response(null, { status: 200, headers: { "stream-next-offset": at(1) } })))
    const to = open(fake, { codec: async () => codec as Codec, type })
    await Promise.all([...given.map((value) => to.append(value)), world.pass(10)])
    assert.equal(bodies.length, 1)
    assert.deepEqual(split(bodies[0] as Uint8Array, type).map((each) => (codec as Codec).decode(each)), given)
    await Promise.all([to.create({ records: [...given] }), world.pass(0)])
    assert.deepEqual(bodies[1], bodies[0])
  }
})

test("a codec that does not come is waited for; a value that it does not take is refused, and the next one goes out", async () => {
  let tries = 0
  const codec = async (): Promise<Codec> => {
    tries += 1
    if (tries < 3) throw new TypeError("Failed to fetch dynamically imported module")
    return import("@msgpack/msgpack")
  }
  const fake = new Fake(() => new Response(null, { status: 200, headers: { "stream-next-offset": at(1) } }))
  const to = open(fake, { codec, type: MSGPACK })
  const fates = Promise.all([1, Symbol("no"), 2].map((value) => to.append(value).then(() => "fine", (error: HeadwaterError) => error.code)))
  await world.pass(20_000)
  assert.deepEqual(await fates, ["fine", "bad-record", "fine"])
})

test("any values, cut anywhere: all of those before the cut, or an error; never something else", () => {
  const whole = joined(VALUES.map((value) => msgpack.encode(value)))
  const parts = split(whole, MSGPACK)
  assert.deepEqual(parts.map((part) => msgpack.decode(part)), VALUES)
  const ends = new Set(parts.map((part) => part.byteOffset - whole.byteOffset + part.length))
  for (let cut = 1; cut < whole.length; cut += 1) {
    if (ends.has(cut)) assert.ok(split(whole.subarray(0, cut), MSGPACK).length > 0)
    else assert.throws(() => split(whole.subarray(0, cut), MSGPACK), RangeError)
  }
  const messages = joined([{ n: 1 }, {}, { name: "z".repeat(200) }].map((each) => framed(step.encode(each), DELIMITED)))
  assert.equal(split(messages, DELIMITED).length, 3)
  assert.throws(() => split(messages.subarray(0, -1), DELIMITED), RangeError)
  assert.throws(() => split(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), DELIMITED), RangeError)
  assert.throws(() => split(Uint8Array.of(0xc1), MSGPACK), RangeError)
})

test("every kind of MessagePack value is passed over by its own size", () => {
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)
  const kinds: number[][] = [
    [0xc4, 3, ...zeros(3)], [0xc5, 0, 3, ...zeros(3)], [0xc6, 0, 0, 0, 3, ...zeros(3)],
    [0xc7, 3, 9, ...zeros(3)], [0xc8, 0, 3, 9, ...zeros(3)], [0xc9, 0, 0, 0, 3, 9, ...zeros(3)],
    [0xca, ...zeros(4)], [0xcb, ...zeros(8)],
    [0xcc, 0], [0xcd, ...zeros(2)], [0xce, ...zeros(4)], [0xcf, ...zeros(8)],
    [0xd0, 0], [0xd1, ...zeros(2)], [0xd2, ...zeros(4)], [0xd3, ...zeros(8)],
    [0xd4, 9, 0], [0xd5, 9, ...zeros(2)], [0xd6, 9, ...zeros(4)], [0xd7, 9, ...zeros(8)], [0xd8, 9, ...zeros(16)],
    [0xd9, 2, 65, 65], [0xda, 0, 2, 65, 65], [0xdb, 0, 0, 0, 2, 65, 65],
    [0xdc, 0, 2, 1, 1], [0xdd, 0, 0, 0, 2, 1, 1], [0xde, 0, 1, 1, 1], [0xdf, 0, 0, 0, 1, 1, 1],
    [0x82, 1, 1, 1, 0x91, 1], [0x92, 1, 0xa1, 65], [0xa2, 65, 65], [0xe0], [0x7f], [0xc0], [0xc2], [0xc3],
  ]
  const records = split(Uint8Array.from(kinds.flat()), MSGPACK)
  assert.deepEqual(records.map((record) => [...record]), kinds)
})
