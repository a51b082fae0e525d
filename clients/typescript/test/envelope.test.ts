/** What is known of records beside their data: when they were appended, and by whom. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { recordsOf } from "../src/connection/rest.ts"
import { type Principal, type Rec, type StreamOptions, stream } from "../src/index.ts"
import { forget } from "../src/transports/choice.ts"
import { Profile, settled, writer } from "./support/browser.ts"
import { Fake, NDJSON, at, reply } from "./support/server.ts"
import { World } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"
const BY: Principal = { subject: 'u "1" }', issuer: "https://app.example" }

let world: World
beforeEach(() => {
  world = new World()
  forget()
})

const lineOf = (n: number, by: Principal | undefined, data: string, key = "data"): string =>
  `{"offset":"${at(n)}","at":${n}.250${by ? `,"by":${JSON.stringify(by)}` : ""},"${key}":${data}}`

async function got(fake: Fake, options: StreamOptions<unknown>): Promise<Rec<unknown>[]> {
  const found: Rec<unknown>[] = []
  const reader = stream<unknown>(URL_, { fetch: fake.fetch, environment: world, ...options }).read({ envelope: true })
  for await (const record of reader) found.push(record)
  return found
}

/** Records on one page, and its end. */
const page = (lines: string[]): Response => reply(`${lines.join("\n")}\n{"control":"closed","offset":"${at(3)}"}\n`, NDJSON)

/** The same as an event stream. */
const events = (lines: string[]): Response =>
  reply(`${lines.map((line) => `id:${JSON.parse(line).offset}\ndata:${line}\n\n`).join("")}event:stream-closed\ndata:{"offset":"${at(3)}"}\n\n`)

for (const transport of ["auto", "ndjson", "sse"] as const) {
  test(`${transport}: each record has its own, and its text as it was appended`, async () => {
    const texts = ['{"at":1,"by":{"subject":"x"}, "n":1.0}', "12345678901234567890", '"]"']
    const lines = texts.map((text, index) => lineOf(index + 1, index === 1 ? undefined : { subject: "u1" }, text))
    const fake = new Fake(() => (transport === "ndjson" ? page(lines) : events(lines)))
    const found = await got(fake, { transport })
    assert.equal(fake.asked[0]?.headers.get("accept"), transport === "ndjson" ? "application/x-ndjson" : "text/event-stream")
    assert.equal(fake.asked[0]?.url.searchParams.get("envelope"), "1")
    assert.deepEqual(found.map(({ raw }) => raw), texts)
    assert.deepEqual(found.map(({ offset, at: time, by }) => [offset, time, by]), [
      [at(1), 1.25, { subject: "u1" }],
      [at(2), 2.25, undefined],
      [at(3), 3.25, { subject: "u1" }],
    ])
  })
}

test("text, bytes as base64, and values of a codec", async () => {
  const lines = [lineOf(1, BY, '"ä\\r\\n"'), lineOf(2, BY, '"/w=="', "base64"), lineOf(3, undefined, '"x"')]
  const found = await got(new Fake(() => page(lines)), { type: "text/plain" })
  assert.deepEqual(found.map(({ raw }) => raw), ["ä\r\n", Uint8Array.of(255), "x"])
  assert.deepEqual(found.map(({ by }) => by), [BY, BY, undefined])
  const told = await got(new Fake(() => events(lines)), { type: "text/plain", transport: "sse" })
  assert.deepEqual(told, found)
  const codec = { encode: () => Uint8Array.of(), decode: (bytes: Uint8Array) => ({ size: bytes.length }) }
  const coded = await got(new Fake(() => page([lineOf(1, BY, '"/w=="', "base64")])), { type: "application/msgpack", codec })
  assert.deepEqual(coded.map(({ data, by }) => [data, by]), [[{ size: 1 }, BY]])
})

test("who does not ask has neither, and transports without a place for it are not asked", async () => {
  const plain = new Fake(() => reply(`{"offset":"${at(1)}","data":1}\n{"control":"closed","offset":"${at(1)}"}\n`, NDJSON))
  for await (const record of stream(URL_, { fetch: plain.fetch, environment: world, transport: "ndjson" })) {
    assert.deepEqual(record, { data: 1, offset: at(1), raw: "1" })
  }
  assert.equal(plain.asked[0]?.url.searchParams.has("envelope"), false)
  for (const transport of ["long-poll", "live-sse"] as const) {
    const headers = { "stream-next-offset": at(1), "stream-closed": "true", "stream-up-to-date": "true", "content-type": "application/json" }
    const fake = new Fake(() => (transport === "long-poll" ? reply("[1]", headers) : reply(null, { "stream-next-offset": at(1) }, 204)))
    await got(fake, { transport })
    assert.equal(fake.asked[0]?.url.searchParams.has("envelope"), false)
  }
})

test("messages of a connection: null is nobody, and the text of a record ends before what is known of it", () => {
  const told = { t: "data", o: at(24), e: ["08", "16"], r: [{ n: 1 }, "x", { at: [1] }], at: [1.5, 2.5, 3.5], by: [BY, null, null] }
  const text = JSON.stringify(told).replace('{"n":1}', '{"n": 1.0}').replace('{"at":[1]}', '{"x":[2],"at":[1]}')
  const found = recordsOf(told, text, "json", undefined)
  assert.deepEqual(found.map(({ raw }) => raw), ['{"n": 1.0}', '"x"', '{"x":[2],"at":[1]}'])
  assert.deepEqual(found.map(({ known }) => [known?.at, known?.by]), [[1.5, BY], [2.5, undefined], [3.5, undefined]])
})

test("a reader that asks for it shares the subscription with those that do not, in all tabs", async () => {
  const profile = new Profile()
  profile.server.append("rooms/7", 1, 2)
  const pages = [profile.open(), profile.open()]
  const plain = pages.map((page) => page.read("rooms/7"))
  await settled()
  const found: Rec<unknown>[][] = pages.map(() => [])
  pages.forEach(({ connection }, index) => {
    const read = async (): Promise<void> => {
      for await (const record of connection.stream("rooms/7").read({ envelope: true })) found[index]?.push(record)
    }
    void read().catch(() => undefined)
  })
  await settled()
  profile.server.append("rooms/7", 3)
  await settled()
  const expected = [0, 1, 2].map((n) => [n + 1, n + 1, writer(n) ?? undefined])
  for (const records of found) assert.deepEqual(records.map(({ data, at: time, by }) => [data, time, by]), expected)
  assert.deepEqual(plain.map((each) => [...each]), [[1, 2, 3], [1, 2, 3]])
  assert.equal(profile.server.sockets.length, 1)
  for (const { connection } of pages) connection.close()
  await settled()
  assert.equal(profile.locks, 0)
})
