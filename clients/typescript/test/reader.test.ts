/** A reader and what happens to it, with a clock that the test moves. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { HeadwaterError, type Rec, type StreamOptions, stream } from "../src/index.ts"
import { forget } from "../src/transports/choice.ts"
import { Fake, Script, at, event, problem, reply } from "./support/server.ts"
import { World, settle } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"

let world: World
beforeEach(() => {
  world = new World()
  forget()
})

const open = (fake: Fake, options: StreamOptions<number> = {}) =>
  stream<number>(URL_, { fetch: fake.fetch, environment: world, ...options })

/** Reads in the background what comes, until the end. */
function collect(records: AsyncIterable<Rec<number>>): { got: number[]; done: Promise<unknown> } {
  const got: number[] = []
  const run = async (): Promise<void> => {
    for await (const { data } of records) got.push(data)
  }
  return { got, done: run().catch((error: unknown) => error) }
}

test("history, then live, then the end", async () => {
  const script = new Script()
  const fake = new Fake(() => reply(script))
  const reader = open(fake).read()
  const { got, done } = collect(reader)
  await settle()
  script.say(event(1) + event(2))
  await settle()
  assert.deepEqual(got, [1, 2])
  script.say(event(3)).say(`event:stream-closed\nid:${at(3)}\ndata:{"offset":"${at(3)}"}\n\n`)
  assert.equal(await done, undefined)
  assert.deepEqual(got, [1, 2, 3])
  assert.deepEqual(await reader.end, { kind: "closed", offset: at(3) })
  assert.equal(reader.state, "ended")
  assert.equal(fake.asked[0]?.url.search, "?offset=-1&data=json")
  assert.equal(world.watchers + world.timers, 0)
})

test("a lost connection is taken up behind what was received, and nothing comes twice", async () => {
  const first = new Script()
  const second = new Script()
  const fake = new Fake((_asked, index) => reply(index ? second : first))
  const { got, done } = collect(open(fake))
  await settle()
  first.say(event(1) + event(2) + `id:${at(3)}\ndata:3`)
  await settle()
  first.cut()
  await world.pass(1000)
  assert.equal(fake.asked[1]?.url.searchParams.get("offset"), at(2))
  second.say(event(2) + event(3) + `event:stream-closed\nid:${at(3)}\ndata:{}\n\n`)
  await done
  assert.deepEqual(got, [1, 2, 3])
})

test("reconnect() replaces the connection that is there, and the wait for one, at once", async () => {
  const scripts = [new Script(), new Script()]
  const fake = new Fake((_asked, index) => (index === 1 ? new TypeError("fetch failed") : reply(scripts[index && 1] as Script)))
  const reader = open(fake).read()
  const { got, done } = collect(reader)
  await settle()
  scripts[0]?.say(event(1))
  await settle()
  reader.reconnect()
  await settle()
  await world.pass(0)
  assert.equal(scripts[0]?.cancelled, true)
  assert.equal(fake.asked.length, 2)
  assert.equal(reader.state, "waiting")
  reader.reconnect()
  await settle()
  assert.equal(fake.asked.length, 3)
  assert.equal(fake.asked[2]?.url.searchParams.get("offset"), at(1))
  scripts[1]?.say(event(2) + `event:stream-closed\nid:${at(2)}\ndata:{}\n\n`)
  await done
  assert.deepEqual(got, [1, 2])
  assert.equal(world.watchers + world.timers, 0)
})

test("a newer server's control of a name that the client uses itself is passed over", async () => {
  const lines = ["records", "open", "quiet"].map((control) => `{"control":"${control}","offset":"${at(0)}"}\n`).join("")
  const end = `{"offset":"${at(1)}","data":1}\n{"control":"closed","offset":"${at(1)}"}\n`
  const { got, done } = collect(open(new Fake(() => reply(lines + end, { "content-type": "application/x-ndjson" })), { transport: "ndjson" }))
  assert.equal(await done, undefined)
  assert.deepEqual(got, [1])
})

test("a failed stream throws, with the reason of who wrote it", async () => {
  const text = `event:stream-failed\nid:${at(1)}\ndata:{"code":"out-of-tokens","message":"no money"}\n\n`
  const fake = new Fake(() => reply(event(1) + text))
  const { got, done } = collect(open(fake))
  const error = (await done) as HeadwaterError
  assert.deepEqual(got, [1])
  assert.equal(error.code, "stream-failed")
  assert.deepEqual(error.facts, { code: "out-of-tokens", message: "no money" })
  assert.equal(error.retryable, false)
})

test("a stream that is not there is an error at once", async () => {
  const fake = new Fake(() => problem(404, { code: "stream-not-found" }))
  const error = (await collect(open(fake)).done) as HeadwaterError
  assert.equal(error.code, "stream-not-found")
  assert.equal(fake.asked.length, 1)
})

test("plain events do not say where the tail is: a moment of silence does", async () => {
  const script = new Script()
  const reader = open(new Fake(() => reply(script))).read()
  const { got } = collect(reader)
  await settle()
  script.say(event(1))
  await world.pass(900)
  assert.equal(reader.state, "catching-up")
  await world.pass(200)
  assert.equal(reader.state, "live")
  script.say(event(2))
  await settle()
  assert.deepEqual(got, [1, 2])
  reader.close()
  await world.pass(0)
  assert.equal(world.timers + world.watchers, 0)
})

test("missing: wait, the gap of a slow policy, and the gap of what is no longer kept", async () => {
  const text = `event:stream-waiting\ndata:{}\n\nevent:stream-created\ndata:{"content_type":"application/json","encoding":"","offset":"${at(0)}"}\n\n`
  const gap = `id:${at(5)}\nevent:stream-gap\ndata:{"from":"${at(1)}","to":"${at(5)}"}\n\n`
  const end = `event:stream-closed\nid:${at(6)}\ndata:{}\n\n`
  const fake = new Fake((_asked, index) =>
    index ? reply(text + event(1) + gap + event(6) + end) : problem(410, { code: "offset-gone", earliest: at(0) }),
  )
  const reader = open(fake).read({ from: at(0), missing: "wait", gone: "earliest", slow: "latest" })
  const told: unknown[] = []
  reader.on("gap", ({ from, to, reason }) => told.push([from, to, reason]))
  const states: string[] = []
  reader.on("state", (state) => states.push(state))
  const batches: unknown[] = []
  const run = (async () => {
    for await (const { records, gap: left } of reader.batches()) batches.push(left ? "gap" : records.map(({ data }) => data))
  })()
  await world.pass(5000)
  await run
  assert.deepEqual(batches, ["gap", [1], "gap", [6]])
  assert.deepEqual(told, [[at(0), at(0), "gone"], [at(1), at(5), undefined]])
  assert.ok(states.includes("absent"))
  const query = fake.asked[1]?.url.searchParams
  assert.deepEqual([query?.get("slow"), query?.get("missing")], ["latest", "wait"])
})

test("a refusal in the middle of a batch: what is good before it comes first", async () => {
  const fake = new Fake(() => reply(`${event(1)}id:${at(2)}\ndata:{broken\n\n${event(3)}`))
  const batches = open(fake).read().batches()
  assert.deepEqual((await batches.next()).value?.records.map(({ data }) => data), [1])
  await assert.rejects(batches.next(), { code: "bad-record", offset: at(2) })
})

test("a checkpoint is asked once, also by a reader that skips a record", async () => {
  let loads = 0
  const saved: string[] = []
  const checkpoint = { load: () => ((loads += 1), at(0)), save: (offset: string) => void saved.push(offset) }
  const fake = new Fake((_asked, index) =>
    reply(index ? `${event(4)}event:stream-closed\nid:${at(4)}\ndata:{}\n\n` : `${event(1)}id:${at(2)}\ndata:{broken\n\n${event(3)}`),
  )
  const reader = open(fake).read({ checkpoint })
  const first = collect(reader)
  assert.equal(((await first.done) as HeadwaterError).code, "bad-record")
  reader.skip()
  const rest = collect(reader)
  await world.pass(1000)
  await rest.done
  assert.deepEqual([first.got, rest.got, loads], [[1], [3, 4], 1])
  assert.equal(fake.asked[1]?.url.searchParams.get("offset"), at(3))
  assert.deepEqual(saved, [at(1), at(3), at(4)])
})

test("what only the type can say: bytes, text, JSON, and a decoder of the caller's", async () => {
  const end = `{"control":"closed","offset":"${at(9)}"}\n`
  const lines = `{"offset":"${at(1)}","base64":"AQI="}\n{"offset":"${at(2)}","data":"a\\rb"}\n${end}`
  const read = async (options: StreamOptions<never>) => {
    const all: unknown[] = []
    const answer = new Fake(() => reply(lines, { "content-type": "application/x-ndjson" }))
    for await (const { data } of stream(URL_, { fetch: answer.fetch, environment: world, transport: "ndjson", ...options })) all.push(data)
    return all
  }
  assert.deepEqual(await read({ type: "text/plain" }), [new Uint8Array([1, 2]), "a\rb"])
  assert.deepEqual(await read({ decode: ((raw: unknown) => typeof raw) as never }), ["object", "string"])
})
