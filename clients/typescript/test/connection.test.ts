/** Many streams on one WebSocket: its server is the test. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { type Connection, type Socket, connect } from "../src/connection.ts"
import { HeadwaterError } from "../src/index.ts"
import { World, settle } from "./support/world.ts"

/** A socket whose other side is the test. */
class Wire implements Socket {
  readyState = 0
  protocol = "headwater.v1+json"
  sent: Record<string, unknown>[] = []
  closed: number | undefined
  onopen: Socket["onopen"] = null
  onmessage: Socket["onmessage"] = null
  onclose: Socket["onclose"] = null
  onerror: Socket["onerror"] = null

  send(text: unknown): void {
    this.sent.push(JSON.parse(text as string) as Record<string, unknown>)
  }

  close(code?: number): void {
    this.closed = code ?? 1005
  }

  open(): void {
    this.readyState = 1
    this.onopen?.(new Event("open"))
    this.say({ t: "welcome", server: "test", heartbeat: 15, window: 262144, limits: {} })
  }

  say(message: object | string): void {
    const data = typeof message === "string" ? message : JSON.stringify(message)
    this.onmessage?.(new MessageEvent("message", { data }))
  }

  cut(code = 1006, reason = ""): void {
    this.readyState = 3
    this.onclose?.({ code, reason } as CloseEvent)
  }

  /** The last message of a kind. */
  last(t: string): Record<string, unknown> {
    return this.sent.filter((message) => message.t === t).at(-1) ?? assert.fail(`no ${t} was sent`)
  }
}

class Net {
  readonly world = new World()
  readonly wires: Wire[] = []
  readonly asked: string[] = []
  readonly connection: Connection
  status = 426

  constructor(options: Parameters<typeof connect>[1] = {}) {
    this.connection = connect("https://example.org/v1/stream/", {
      environment: this.world,
      socket: (url) => {
        this.asked.push(url)
        const wire = new Wire()
        this.wires.push(wire)
        return wire
      },
      fetch: async () => Response.json({ code: "refused", detail: "no" }, { status: this.status }),
      ...options,
    })
  }

  /** The socket that was opened last, once there are so many. */
  async wire(count = 1): Promise<Wire> {
    for (let turn = 0; turn < 20 && this.wires.length < count; turn += 1) await settle()
    assert.equal(this.wires.length, count)
    return this.wires[count - 1] as Wire
  }

  async opened(count = 1): Promise<Wire> {
    const wire = await this.wire(count)
    wire.open()
    await settle()
    return wire
  }
}

const at = (position: number): string => `0000000000000001_${String(position).padStart(16, "0")}`

function answer(wire: Wire, s: number): void {
  const { id, path } = wire.last("sub")
  wire.say({ t: "sub", id, s, path, type: "application/json", from: at(0), tail: at(0), earliest: at(0) })
}

test("records have their own offsets, and their text as it was sent", async () => {
  const net = new Net()
  const records = net.connection.stream("rooms/7").read()[Symbol.asyncIterator]()
  const first = records.next()
  const wire = await net.opened()
  assert.equal(net.asked[0], "wss://example.org/v1/stream/-/connect")
  assert.deepEqual(wire.sent[0], { t: "hello" })
  answer(wire, 4)
  wire.say(`{"t":"data","s":4,"o":"${at(24)}","e":["08","16"],"r":[{"n": 1.0}, "]", 12345678901234567890]}`)
  assert.deepEqual([(await first).value?.data, (await first).value?.offset], [{ n: 1 }, at(8)])
  assert.equal((await records.next()).value?.data, "]")
  const third = (await records.next()).value
  assert.deepEqual([third?.raw, third?.offset], ["12345678901234567890", at(24)])
  net.connection.close()
})

test("what is done with is acknowledged, at half of the window or after a second", async () => {
  const net = new Net()
  const reader = net.connection.stream("a").read({ buffer: 200 })
  const batches = reader.batches()
  const first = batches.next()
  const wire = await net.opened()
  assert.equal(wire.last("sub").window, 200)
  answer(wire, 1)
  wire.say({ t: "data", s: 1, o: at(10), r: ["x"] })
  await first
  const second = batches.next()
  await settle()
  assert.equal(wire.sent.filter(({ t }) => t === "ack").length, 0)
  await net.world.pass(1000)
  assert.deepEqual(wire.last("ack"), { t: "ack", s: 1, o: at(10) })
  wire.say({ t: "data", s: 1, o: at(200), r: ["y".repeat(150)] })
  await second
  void batches.next()
  await settle()
  assert.equal(wire.last("ack").o, at(200))
  net.connection.close()
})

test("a reader goes on behind its last record on another socket, and all readers on the same one", async () => {
  const net = new Net()
  const readers = ["a", "b"].map((path) => net.connection.stream(path).read()[Symbol.asyncIterator]())
  const firsts = readers.map((reader) => reader.next())
  const wire = await net.opened()
  for (const [index, { id, path }] of wire.sent.filter(({ t }) => t === "sub").entries()) {
    wire.say({ t: "sub", id, s: index, path, type: "application/json", from: at(0), tail: at(0), earliest: at(0) })
    wire.say({ t: "data", s: index, o: at(5), r: [index] })
  }
  await Promise.all(firsts)
  const seconds = readers.map((reader) => reader.next())
  await settle()
  wire.cut()
  await net.world.pass(1000)
  const again = await net.opened(2)
  await settle()
  const subs = again.sent.filter(({ t }) => t === "sub")
  assert.deepEqual(subs.map(({ path, from }) => [path, from]), [["a", at(5)], ["b", at(5)]])
  net.connection.close()
  await Promise.all(seconds)
})

test("behind a gap it comes back where the server goes on, not where the gap ends", async () => {
  for (const o of [at(0), at(24)]) {
    const net = new Net()
    const reader = net.connection.stream("a").read({ slow: "conflate:k" })
    const told: unknown[] = []
    reader.on("gap", (gap) => told.push(gap))
    const first = reader[Symbol.asyncIterator]().next()
    const wire = await net.opened()
    answer(wire, 1)
    wire.say({ t: "gap", s: 1, from: at(0), to: at(24), o })
    await settle()
    assert.equal(told.length, 1)
    wire.cut()
    await net.world.pass(1000)
    const again = await net.opened(2)
    await settle()
    assert.equal(again.last("sub").from, o)
    net.connection.close()
    await first
  }
})

test("an append is answered; one whose answer was lost is sent again under the same number", async () => {
  const net = new Net()
  const stream = net.connection.stream<{ n: number }>("a", { type: "application/json" })
  const appended = stream.append({ n: 1 })
  await net.world.pass(0)
  const wire = await net.opened()
  const { p, r } = wire.last("append")
  assert.deepEqual(r, [{ n: 1 }])
  wire.cut()
  await net.world.pass(1000)
  const again = await net.opened(2)
  assert.deepEqual(again.last("append").p, p)
  again.say({ t: "ok", id: again.last("append").id, o: at(7), dup: true })
  assert.equal(await appended, at(7))
  net.connection.close()
})

test("a drain moves all readers when the server says", async () => {
  const net = new Net()
  const reader = net.connection.stream("a").read()
  const first = reader[Symbol.asyncIterator]().next()
  const wire = await net.opened()
  answer(wire, 1)
  await settle()
  wire.say({ t: "drain", after: 3 })
  await settle()
  await net.world.pass(2900)
  await settle()
  assert.equal(net.wires.length, 1)
  await net.world.pass(200)
  await net.wire(2)
  net.connection.close()
  await first
})

test("who is silent for two and a half heartbeats is left", async () => {
  const net = new Net()
  const first = net.connection.stream("a").read()[Symbol.asyncIterator]().next()
  const wire = await net.opened()
  answer(wire, 1)
  await settle()
  await net.world.pass(15_000)
  assert.equal(wire.last("ping").t, "ping")
  await net.world.pass(23_000)
  assert.notEqual(wire.closed, undefined)
  net.connection.close()
  await first
})

/** Says what was read so far. */
function collecting(records: AsyncIterable<{ data: unknown }>): unknown[] {
  const got: unknown[] = []
  void (async () => {
    for await (const { data } of records) got.push(data)
  })().catch(() => undefined)
  return got
}

const page = (wire: Wire, records: unknown[], o: string, fields: object = {}): void => {
  const { id, from } = wire.last("read")
  const first = Number(o.slice(-2)) - records.length + 1
  const e = records.slice(0, -1).map((_, index) => at(first + index).slice(-2))
  wire.say({ t: "page", id, from, o, e, r: records, ...fields })
}

test("two readers of a stream share its subscription, each from its own place", async () => {
  const net = new Net()
  const stream = net.connection.stream("a")
  const first = collecting(stream.read())
  const wire = await net.opened()
  answer(wire, 1)
  wire.say({ t: "data", s: 1, o: at(2), e: ["1"], r: [1, 2] })
  wire.say({ t: "live", s: 1, o: at(2) })
  await settle()
  const [second, third] = [collecting(stream.read()), collecting(stream.read({ from: "now" }))]
  await settle()
  page(wire, [1, 2], at(2), { live: true })
  await settle()
  wire.say({ t: "data", s: 1, o: at(3), r: [3] })
  await settle()
  assert.deepEqual([first, second, third], [[1, 2, 3], [1, 2, 3], [3]])
  assert.equal(wire.sent.filter(({ t }) => t === "sub").length, 1)
  assert.equal(net.wires.length, 1)
  net.connection.close()
})

test("behind the tail, a second reader moves the subscription there, and both read pages until they meet it", async () => {
  const net = new Net()
  const stream = net.connection.stream("a")
  const first = collecting(stream.read())
  const wire = await net.opened()
  answer(wire, 1)
  wire.say({ t: "data", s: 1, o: at(1), r: [1] })
  await settle()
  const second = collecting(stream.read({ from: "now" }))
  await settle()
  assert.deepEqual(wire.sent.slice(-2).map(({ t, from }) => [t, from]), [["unsub", undefined], ["sub", "now"]])
  // What is still under way is not told twice.
  wire.say({ t: "data", s: 1, o: at(2), r: [2] })
  const { id } = wire.last("sub")
  wire.say({ t: "sub", id, s: 1, path: "a", type: "application/json", from: at(3), tail: at(3), earliest: at(0) })
  wire.say({ t: "live", s: 1, o: at(3) })
  await settle()
  assert.equal(wire.last("read").from, at(1))
  page(wire, [2, 3], at(3), { live: true })
  await settle()
  wire.say({ t: "data", s: 1, o: at(4), r: [4] })
  await settle()
  assert.deepEqual([first, second], [[1, 2, 3, 4], [4]])
  net.connection.close()
})

test("credit is the slowest reader's, and one for whom others wait is let go", async () => {
  const net = new Net()
  const stream = net.connection.stream("a")
  const slow = stream.read({ buffer: 300 })[Symbol.asyncIterator]()
  const one = slow.next()
  const wire = await net.opened()
  answer(wire, 1)
  wire.say({ t: "live", s: 1, o: at(0) })
  const fast = collecting(stream.read({ from: at(0) }))
  await settle()
  const big = "x".repeat(150)
  wire.say({ t: "data", s: 1, o: at(1), r: [big] })
  wire.say({ t: "data", s: 1, o: at(2), r: [big] })
  await one
  await settle()
  assert.equal(fast.length, 2)
  assert.equal(wire.sent.filter(({ t }) => t === "ack").length, 0, "nobody said that the slow one is done")
  await net.world.pass(999)
  assert.equal(wire.sent.filter(({ t }) => t === "ack").length, 0)
  await net.world.pass(1)
  assert.equal(wire.last("ack").o, at(2))
  wire.say({ t: "data", s: 1, o: at(3), r: [3] })
  await settle()
  assert.deepEqual(fast, [big, big, 3])
  // It has what had come, and fetches the rest.
  assert.equal((await slow.next()).value?.data, big)
  const three = slow.next()
  await settle()
  assert.equal(wire.last("read").from, at(2))
  page(wire, [3], at(3), { live: true })
  assert.equal((await three).value?.data, 3)
  const four = slow.next()
  await settle()
  wire.say({ t: "data", s: 1, o: at(4), r: [4] })
  assert.equal((await four).value?.data, 4)
  net.connection.close()
})

test("signals are told on the subscription of the records, and one who leaves takes nothing from the others", async () => {
  const net = new Net()
  const stream = net.connection.stream("a")
  const got = collecting(stream.read())
  const wire = await net.opened()
  answer(wire, 1)
  wire.say({ t: "data", s: 1, o: at(1), r: [1] })
  wire.say({ t: "live", s: 1, o: at(1) })
  await settle()
  const presence = stream.presence("here")
  await settle()
  assert.deepEqual([wire.last("sub").from, wire.last("sub").signals, wire.last("sub").window], [at(1), true, 65_536])
  const { id } = wire.last("sub")
  wire.say({ t: "sub", id, s: 1, path: "a", type: "application/json", from: at(1), tail: at(1), earliest: at(0) })
  wire.say({ t: "live", s: 1, o: at(1) })
  await settle()
  assert.equal(wire.last("here").state, "here")
  presence.leave()
  wire.say({ t: "err", s: 1, code: "rate-limited", status: 429, detail: "of a signal", advice: "" })
  wire.say({ t: "data", s: 1, o: at(2), r: [2] })
  await settle()
  assert.deepEqual(got, [1, 2])
  assert.equal(net.wires.length, 1)
  net.connection.close()
})

test("its state is told: connecting, live, waiting until a moment, draining, closed", async () => {
  const net = new Net()
  const { connection, world } = net
  const states: string[] = []
  const errors: string[] = []
  connection.on("state", (state) => states.push(state))
  connection.on("error", ({ code }) => errors.push(code))
  assert.deepEqual([connection.state, connection.retryAt, connection.attempt], ["idle", null, 0])
  const first = connection.stream("a").read()[Symbol.asyncIterator]().next()
  const wire = await net.wire()
  assert.deepEqual([connection.state, connection.attempt], ["connecting", 1])
  wire.open()
  await settle()
  answer(wire, 1)
  assert.deepEqual([connection.state, connection.attempt], ["live", 0])
  wire.cut()
  await settle()
  assert.equal(connection.state, "waiting")
  assert.ok((connection.retryAt ?? 0) > world.time)
  assert.equal(connection.lastError?.code, "network")
  world.isOnline = false
  world.tell("offline")
  assert.equal(connection.state, "offline")
  world.isOnline = true
  world.tell("online")
  await world.pass(500)
  const again = await net.opened(2)
  answer(again, 1)
  await settle()
  again.say({ t: "drain", after: 2 })
  await settle()
  assert.deepEqual([connection.state, connection.retryAt], ["draining", world.time + 2000])
  again.cut(1012)
  await world.pass(2000)
  await net.opened(3)
  connection.close()
  await first
  assert.equal(connection.state, "closed")
  assert.deepEqual(errors, ["network", "network"])
  assert.deepEqual(states, ["connecting", "live", "waiting", "offline", "waiting", "connecting", "live", "draining", "waiting", "connecting", "live", "closed"])
})

test("reconnect() does not wait: neither the pause that is, nor the one that would be", async () => {
  const net = new Net()
  const first = net.connection.stream("a").read()[Symbol.asyncIterator]().next()
  answer(await net.opened(), 1)
  net.connection.reconnect()
  await net.world.pass(0)
  assert.notEqual(net.wires[0]?.closed, undefined)
  answer(await net.opened(2), 1)
  net.wires[1]?.cut()
  await settle()
  assert.equal(net.wires.length, 2)
  net.connection.reconnect()
  await net.world.pass(0)
  await net.opened(3)
  assert.equal(net.connection.state, "live")
  net.connection.close()
  net.connection.reconnect()
  await net.world.pass(60_000)
  assert.equal(net.wires.length, 3)
  await first
})

test("a page that is put aside has no socket, and one that slept does not trust its own", async () => {
  const net = new Net()
  const first = net.connection.stream("a").read()[Symbol.asyncIterator]().next()
  answer(await net.opened(), 1)
  net.world.tell("freeze")
  assert.notEqual(net.wires[0]?.closed, undefined)
  await settle()
  net.world.tell("resume")
  await net.world.pass(0)
  answer(await net.opened(2), 1)
  net.world.tell("visible")
  await net.world.pass(0)
  assert.equal(net.wires.length, 2, "it was heard a moment ago")
  // A day of sleep.
  net.world.time += 86_400_000
  net.world.tell("visible")
  assert.notEqual(net.wires[1]?.closed, undefined)
  await net.world.pass(1000)
  answer(await net.opened(3), 1)
  net.wires[2]?.say({ t: "data", s: 1, o: at(1), r: ["morning"] })
  assert.equal((await first).value?.data, "morning")
  net.connection.close()
})

test("where the server stops, nothing is begun any more, although the drain comes late", async () => {
  const net = new Net()
  const first = net.connection.stream("a").read()[Symbol.asyncIterator]().next()
  const wire = await net.opened()
  answer(wire, 1)
  wire.say({ t: "end", s: 1, o: at(0), why: "detached", code: "stopping", after: 0.001 })
  await net.world.pass(1000)
  await net.wire(2)
  wire.say({ t: "drain", after: 0.001 })
  assert.equal(wire.sent.filter(({ t }) => t === "sub").length, 1)
  net.connection.close()
  await first
})

test("signOut() closes, tells who listens, and waits for them", async () => {
  const net = new Net()
  const told: string[] = []
  net.connection.on("sign-out", async () => {
    await settle()
    told.push("cleared")
  })
  await net.connection.signOut()
  await net.connection.signOut()
  assert.deepEqual(told, ["cleared"])
  assert.equal(net.connection.state, "closed")
  const failing = new Net().connection
  failing.on("sign-out", () => Promise.reject(new Error("disk")))
  await assert.rejects(failing.signOut(), /disk/)
  assert.equal(failing.state, "closed")
})

test("a close code that is for good ends reading, with the error's code", async () => {
  const net = new Net()
  const reader = net.connection.stream("a").read()
  const first = reader[Symbol.asyncIterator]().next()
  const wire = await net.opened()
  wire.cut(4403, "refused: you may not read it")
  await assert.rejects(first, (error: HeadwaterError) => error.code === "refused" && error.status === 403 && !error.retryable)
  await net.world.pass(60_000)
  assert.equal(net.wires.length, 1)
})

test("why a handshake is refused is asked for, once", async () => {
  const net = new Net()
  net.status = 403
  const first = net.connection.stream("a").read()[Symbol.asyncIterator]().next()
  ;(await net.wire()).cut()
  await assert.rejects(first, (error: HeadwaterError) => error.code === "refused" && error.status === 403)
})

test("a token that is too old is followed by a fresh one, and a second refusal at once is the end", async () => {
  let tokens = 0
  const net = new Net({ token: () => `t${++tokens}` })
  const first = net.connection.stream("a").read()[Symbol.asyncIterator]().next()
  const wire = await net.opened()
  assert.equal(wire.last("hello").token, "t1")
  wire.say({ t: "expiring", seconds: 30 })
  await settle()
  assert.equal(wire.last("auth").token, "t2")
  wire.cut(4401, "not-authorized")
  await net.world.pass(1000)
  const again = await net.opened(2)
  assert.equal(again.last("hello").token, "t3")
  again.cut(4401, "not-authorized")
  await assert.rejects(first, (error: HeadwaterError) => error.code === "not-authorized")
})

test("signals and members are told, and after a cut the member comes back with its key", async () => {
  const net = new Net()
  const stream = net.connection.stream("room")
  const presence = stream.presence({ typing: false })
  const signals = stream.signals()[Symbol.asyncIterator]()
  const wire = await net.opened()
  assert.deepEqual([wire.last("sub").signals, wire.last("sub").presence, wire.last("sub").window], [true, true, 65_536])
  answer(wire, 3)
  await settle()
  const here = wire.last("here")
  assert.deepEqual(here.state, { typing: false })
  wire.say({ t: "here", id: here.id, member: "ada", key: "k", count: 2 })
  wire.say({ t: "presence", s: 3, version: 1, count: 2, members: [{ id: "ada", state: null }, { id: "bob", state: 1 }] })
  wire.say({ t: "presence", s: 3, version: 2, count: 1, left: ["bob"] })
  wire.say({ t: "signal", s: 3, from: "bob", topic: "typing", data: true })
  assert.deepEqual((await signals.next()).value, { from: "bob", to: undefined, topic: "typing", data: true })
  const proven = { subject: "bob", issuer: "https://app.example" }
  wire.say({ t: "signal", s: 3, from: "bob", by: proven, data: 1 })
  assert.deepEqual((await signals.next()).value, { from: "bob", to: undefined, topic: undefined, by: proven, data: 1 })
  assert.deepEqual(presence.members.map(({ id }) => id), ["ada"])
  stream.signal({ on: true }, { topic: "typing", keep: 5 })
  await settle()
  assert.deepEqual(wire.last("signal"), { t: "signal", path: "room", data: { on: true }, topic: "typing", keep: 5 })
  wire.cut()
  await net.world.pass(1000)
  const again = await net.opened(2)
  answer(again, 9)
  await settle()
  assert.deepEqual([again.last("here").key, again.last("here").member], ["k", "ada"])
  presence.leave()
  assert.equal(again.last("here").state, null)
  net.connection.signOut()
})

test("above the limit of the list only the count is told, and the list comes again when they are fewer", async () => {
  const net = new Net()
  const presence = net.connection.stream("room").presence()
  const lists = presence[Symbol.asyncIterator]()
  const wire = await net.opened()
  answer(wire, 3)
  const told = async (fields: object): Promise<unknown> => {
    wire.say({ t: "presence", s: 3, ...fields })
    const { value } = await lists.next()
    return [(value as { id: string }[]).map(({ id }) => id), presence.members.length, presence.count]
  }
  const ada = { id: "ada", state: null }
  assert.deepEqual(await told({ version: 1, count: 1, members: [ada] }), [["ada"], 1, 1])
  assert.deepEqual(await told({ version: 2, count: 501, members: null }), [[], 0, 501])
  assert.deepEqual(await told({ version: 3, count: 640, members: null }), [[], 0, 640])
  assert.deepEqual(await told({ version: 4, count: 2, members: [ada, { id: "bob", state: 1 }] }), [["ada", "bob"], 2, 2])
  assert.deepEqual(await told({ version: 5, count: 1, left: ["ada"] }), [["bob"], 1, 1])
  presence.leave()
  assert.deepEqual([presence.members.length, presence.count], [0, 0])
  net.connection.close()
})

test("close() ends everything, in every state, and leaves nothing behind", async () => {
  for (const state of ["idle", "connecting", "open", "waiting"]) {
    const net = new Net()
    const reader = net.connection.stream("a").read()
    const first = state === "idle" ? undefined : reader[Symbol.asyncIterator]().next()
    if (state !== "idle") await net.wire()
    if (state === "open") answer(await net.opened(), 1)
    if (state === "waiting") net.wires[0]?.cut()
    await settle()
    net.connection.close()
    net.connection.close()
    if (first) await first.catch(() => undefined)
    await net.world.pass(120_000)
    assert.ok(net.wires.length <= 1, state)
    assert.equal(net.world.watchers, 0, state)
    const late = assert.rejects(net.connection.stream("a").append(1), (error: HeadwaterError) => error.code === "stopped")
    await net.world.pass(0)
    await late
  }
})

test("a connection that is closed while its token is asked for leaves no socket", async () => {
  let give: (token: string) => void = () => undefined
  const net = new Net({ token: () => new Promise((resolve) => (give = resolve)) })
  const read = net.connection.stream("rooms/7").all()
  await settle()
  net.connection.close()
  give("late")
  await settle()
  assert.deepEqual(await read, [])
  assert.deepEqual(net.wires.filter(({ closed }) => closed === undefined), [])
  assert.equal(net.world.timers, 0)
})
