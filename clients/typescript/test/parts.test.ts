/** What is loaded when it is first wanted: that it is, and what becomes of what waits for it where it does not come. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { type Socket, connect } from "../src/connection.ts"
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

/** A connection whose sockets are answered by the test: `welcome`, and each `sub` from the start. */
function connected(more: (sent: Record<string, unknown>, say: (message: string | object) => void) => void = () => undefined) {
  const sent: Record<string, unknown>[] = []
  const open = (): Socket => {
    const say = (message: string | object): void => {
      const data = typeof message === "string" ? message : JSON.stringify(message)
      queueMicrotask(() => wire.onmessage?.(new MessageEvent("message", { data })))
    }
    const wire: Socket = {
      readyState: 1,
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      close: () => undefined,
      send(text) {
        const message = JSON.parse(text as string) as Record<string, unknown>
        sent.push(message)
        if (message.t === "hello") say({ t: "welcome", heartbeat: 15 })
        if (message.t === "sub") say({ t: "sub", id: message.id, s: message.id, path: message.path, type: TYPE, from: at(0) })
        more(message, say)
      },
    }
    queueMicrotask(() => wire.onopen?.(new Event("open")))
    return wire
  }
  return { connection: connect("http://127.0.0.1:1/v1/stream/", { parts, environment: world, socket: open }), sent }
}

test("JSON as the platform writes it is read on a connection with nothing loaded, also after a cut; other JSON loads what looks for its text", async () => {
  const { connection } = connected((message, say) => {
    if (message.t !== "sub") return
    const from = message.from === "-1" ? 0 : 1
    say({ t: "data", s: message.id, o: at(from + 1), r: [from + 1] })
    if (from) say(`{"t":"data","s":${message.id as number},"o":"${at(3)}","r":[3.0]}`)
  })
  const reader = connection.stream<number>("jobs/7").read()
  const records = reader[Symbol.asyncIterator]()
  const first = records.next()
  await world.pass(10)
  assert.deepEqual([(await first).value?.data, (await first).value?.raw], [1, "1"])
  const second = records.next()
  await world.pass(10)
  connection.reconnect()
  await world.pass(2000)
  assert.equal((await second).value?.data, 2)
  assert.deepEqual(loaded, [])
  const third = records.next()
  await world.pass(10)
  assert.deepEqual([(await third).value?.data, (await third).value?.raw], [3, "3.0"])
  assert.deepEqual(loaded, ["connectionRest"])
  connection.close()
})

test("what cannot be loaded for a message of a connection is a lost network: the reader comes back where it was", async () => {
  missing = { connectionRest: 1 }
  const { connection, sent } = connected((message, say) => {
    if (message.t !== "sub") return
    if (message.from === "-1") say({ t: "data", s: message.id, o: at(1), r: [1] })
    say(`{"t":"data","s":${message.id as number},"o":"${at(2)}","r":[2.0]}`)
    say({ t: "end", s: message.id, why: "closed", o: at(2) })
  })
  const read = values(connection.stream<number>("jobs/7"))
  await world.pass(30_000)
  assert.deepEqual(await read, [1, 2])
  assert.deepEqual(sent.filter(({ t }) => t === "sub").map(({ from }) => from), ["-1", at(1)])
  connection.close()
})

test("signals and members wait for what they need, and are asked for in the order of the calls; behind `close` they end", async () => {
  missing = { connectionRest: 2 }
  const { connection, sent } = connected((message, say) => {
    if (message.t === "here") say({ t: "here", id: message.id, key: "k", member: "m" })
    if (message.t === "signal") say({ t: "signal", s: 1, from: "m", topic: message.topic, data: message.data })
  })
  const room = connection.stream("rooms/7")
  const presence = room.presence({ n: 0 })
  presence.set({ n: 1 })
  assert.deepEqual([presence.members, presence.count], [[], 0])
  const told: unknown[] = []
  const listening = (async () => {
    for await (const { data } of room.signals()) told.push(data)
  })()
  await world.pass(30_000)
  room.signal("hi")
  await world.pass(10)
  assert.deepEqual(sent.filter(({ t }) => t === "here").map(({ state }) => state), [{ n: 1 }])
  assert.deepEqual(told, ["hi"])
  connection.close()
  await listening
  for await (const _ of presence) assert.fail("it has ended")
  for await (const _ of connection.stream("rooms/8").signals()) assert.fail("it was closed before")
})
