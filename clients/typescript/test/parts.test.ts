/** What is loaded when it is first wanted: that it is, and what becomes of what waits for it where it does not come. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { connect } from "../src/connection.ts"
import type { ConnectionParts } from "../src/connection/door.ts"
import { type HeadwaterError, type StreamOptions, stream } from "../src/index.ts"
import { parts as all } from "../src/parts.ts"
import { forget } from "../src/transports/choice.ts"
import { Fake, NDJSON, at, event, problem, reply } from "./support/server.ts"
import { World } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"
const TYPE = "application/json"
const CLOSED = `event:stream-closed\nid:${at(9)}\ndata:{}\n\n`

let world: World
/** What was loaded, and how often each is not there yet. */
let loaded: string[]
let missing: Record<string, number>

beforeEach(() => {
  world = new World()
  loaded = []
  missing = {}
  forget()
})

const parts = Object.fromEntries(
  Object.entries(all).map(([name, part]) => [
    name,
    async () => {
      loaded.push(name)
      missing[name] = (missing[name] ?? 0) - 1
      if ((missing[name] as number) >= 0) throw new TypeError("Failed to fetch dynamically imported module")
      return part()
    },
  ]),
) as unknown as ConnectionParts

const open = (fake: Fake, options: StreamOptions<number> = {}) =>
  stream<number>(URL_, { fetch: fake.fetch, environment: world, type: TYPE, parts, ...options })

const taken = (): Response => new Response(null, { status: 200, headers: { "stream-next-offset": at(1) } })
const fate = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => "fine", (error: HeadwaterError) => error.code)

async function values(records: AsyncIterable<{ data: number }>): Promise<number[]> {
  const got: number[] = []
  for await (const { data } of records) got.push(data)
  return got
}

test("JSON is read to its end with nothing loaded; the first write loads what writes, once", async () => {
  const fake = new Fake(({ method }) => (method === "GET" ? reply(event(1) + event(2) + CLOSED) : taken()))
  const jobs = open(fake)
  assert.deepEqual(await values(jobs), [1, 2])
  assert.deepEqual(loaded, [])
  await Promise.all([jobs.append(1), jobs.append(2), world.pass(0)])
  await Promise.all([jobs.append(3), world.pass(0)])
  assert.ok(new Set(loaded).size === 1 && loaded[0] === "writing", loaded.join())
})

test("an append waits for what writes as for a network, in the order of the calls, and is sent once", async () => {
  missing = { writing: 3 }
  const bodies: string[] = []
  const fake = new Fake(({ body }) => (bodies.push(new TextDecoder().decode(body)), taken()))
  const jobs = open(fake)
  const appended = Promise.all([1, 2, 3].map((value) => jobs.append(value)))
  await world.pass(0)
  assert.deepEqual(bodies, [])
  await world.pass(30_000)
  await appended
  assert.deepEqual(bodies, ["[1,2,3]"])
  assert.equal(world.timers + world.watchers, 0)
})

test("a producer that is asked before it is loaded keeps the order, and counts what waits", async () => {
  missing = { writing: 1 }
  const bodies: string[] = []
  const fake = new Fake(({ body }) => (bodies.push(new TextDecoder().decode(body)), taken()))
  const producer = open(fake).producer({ id: "p" })
  const appended = [producer.append(1), producer.append(2)]
  const written = producer.write(3)
  assert.equal(producer.id, "p")
  assert.equal(producer.pending, 3)
  await world.pass(5000)
  await Promise.all([...appended, written, producer.flush()])
  assert.deepEqual(bodies, ["[1,2,3]"])
  assert.equal(producer.pending, 0)
})

test("limits that cannot be are refused when it is asked", async () => {
  const never = new Fake(() => new Error("nothing is sent"))
  for (const wrong of [{ batchBytes: 0 }, { inFlight: 0 }, { epoch: -1 }, { id: "" }]) {
    assert.equal(await fate(open(never).producer(wrong).append(1)), "bad-request")
  }
})

test("who gives up waiting is told at once, by the own signal, the stream's, and without tries", async () => {
  missing = { writing: 1000 }
  const fake = new Fake(() => taken())
  const own = new AbortController()
  const whole = new AbortController()
  const one = fate(open(fake).append(1, { signal: own.signal }))
  const two = fate(open(fake, { signal: whole.signal }).append(1))
  const three = fate(open(fake, { retry: false }).append(1))
  await world.pass(100)
  own.abort()
  whole.abort()
  await world.pass(60_000)
  assert.deepEqual(await Promise.all([one, two, three]), ["stopped", "stopped", "network"])
  assert.deepEqual(fake.asked, [])
})

test("a refusal that cannot be read passes, and is asked for again; what the server asks to wait is waited for", async () => {
  missing = { rest: 1 }
  const fake = new Fake(
    (_, index) => (index < 2 ? problem(404, { code: "stream-not-found" }, { "retry-after": "20" }) : reply("")),
    () => world.time,
  )
  const reader = open(fake).read()
  const read = fate(values(reader))
  await world.pass(40_000)
  assert.equal(await read, "stream-not-found")
  assert.equal(fake.asked.length, 2)
  assert.ok((fake.asked[1]?.at ?? 0) >= 20_000)
})

test("another transport is loaded when it is read, and a lost one is a lost network", async () => {
  missing = { rest: 2 }
  const lines = `{"offset":"${at(1)}","data":1}\n{"control":"closed","offset":"${at(1)}"}\n`
  const fake = new Fake(() => reply(lines, NDJSON))
  const read = values(open(fake, { transport: "ndjson" }))
  await world.pass(30_000)
  assert.deepEqual(await read, [1])
  assert.equal(fake.asked.length, 1)
})

test("a record that is refused is an error, whatever can be loaded to tell of it", async () => {
  for (const [count, code] of [[0, "bad-record"], [1, "network"]] as const) {
    missing = { rest: count }
    const fake = new Fake(() => reply(event(1) + CLOSED))
    const decode = (): number => {
      throw new Error("no")
    }
    const reader = open(fake, { decode }).read()
    assert.equal(await fate(values(reader)), code)
    assert.equal((await reader.end).code, code)
  }
})

test("a connection loads what writes on it with the first write", async () => {
  const ignore = (): void => undefined
  const never = connect("http://127.0.0.1:1/v1/stream/", { parts, environment: world, socket: () => ({ readyState: 0, send: ignore, close: ignore }) as never })
  const appending = fate(never.stream("jobs/7", { type: TYPE }).append(1))
  await world.pass(0)
  assert.deepEqual(loaded, ["writing", "connectionWrites"])
  never.close()
  assert.equal(await appending, "stopped")
})
