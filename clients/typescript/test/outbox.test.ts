/** An outbox: what it keeps arrives once and in order, whenever the page is reloaded, or its fate is told. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { type HeadwaterError, stream } from "../src/index.ts"
import { type Fate, type Held, type OutboxOptions, type OutboxStore, type StoreFactory, indexedDb, memory, outbox } from "../src/outbox.ts"
import { type Asked, Fake, at, problem } from "./support/server.ts"
import { World, dice, settle } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"
const HOUR = 3_600_000

let world: World
beforeEach(() => {
  world = new World()
})

type Fault = "lost" | "unsent" | "held" | Response

/** A server that keeps what producers send, as the protocol says. */
class Log {
  records: unknown[] = []
  /** Of each producer: its epoch, and the number that it sends next. */
  producers = new Map<string, [epoch: number, next: number]>()
  /** Every request that came: its stream, producer, epoch, number and body. */
  asked: string[] = []
  fault: (index: number, asked: Asked) => Fault | undefined = () => undefined
  fake: Fake = new Fake((asked, index) => this.answer(asked, index), () => world.time)

  answer(asked: Asked, index: number): Response | Error | Promise<Response> {
    const fault = this.fault(index, asked)
    if (fault instanceof Response) return fault
    if (fault === "unsent") return new TypeError("fetch failed")
    const response = this.append(asked)
    if (fault === "held") return new Promise((_, reject) => asked.signal.addEventListener("abort", () => reject(asked.signal.reason as Error)))
    return fault === "lost" ? new TypeError("fetch failed") : response
  }

  append({ headers, body, url }: Asked): Response {
    const key = `${url.pathname} ${headers.get("producer-id")}`
    const epoch = Number(headers.get("producer-epoch"))
    const seq = Number(headers.get("producer-seq"))
    const text = new TextDecoder().decode(body)
    this.asked.push(`${key} ${epoch} ${seq} ${text}`)
    const [known, next] = this.producers.get(key) ?? [epoch, 0]
    if (epoch < known) return problem(403, { code: "producer-fenced" }, { "producer-epoch": String(known) })
    const expected = epoch > known ? 0 : next
    const told = (status: number): Response => new Response(null, { status, headers: { "stream-next-offset": at(this.records.length) } })
    if (seq < expected) return told(204)
    if (seq > expected) return problem(409, { code: "producer-gap" }, { "producer-expected-seq": String(expected) })
    this.producers.set(key, [epoch, seq + 1])
    this.records.push(...(JSON.parse(text) as unknown[]))
    return told(200)
  }

  stream = (url: string = URL_) => stream<never>(url, { fetch: this.fake.fetch, environment: world, type: "application/json" })

  box(store: StoreFactory, options: Partial<OutboxOptions> = {}) {
    const box = outbox("notes", { user: "ada", store, environment: world, stream: this.stream, ...options })
    const fates: Fate[] = []
    box.on((fate) => fates.push(fate))
    const told = (): string[] => fates.filter(({ state }) => state !== "stored" && state !== "sent").map(({ state, data }) => `${state} ${String(data)}`)
    const append = (value: unknown, url = URL_): Promise<string> =>
      box.append(this.stream(url), value as never).catch((error: HeadwaterError) => error.code)
    return { box, fates, told, append }
  }
}

/** A page that ends in the middle of something: after so many steps nothing more is done, and nobody is told. */
function mortal(store: StoreFactory, log: Log, steps: number): { store: StoreFactory; fetch: typeof fetch } {
  const never = new Promise<never>(() => undefined)
  let left = steps
  // Before it is done, and after that: then the answer does not come.
  const wrap = <A extends unknown[], R>(call: (...all: A) => Promise<R>) => async (...all: A): Promise<R> => {
    if ((left -= 1) < 0) return never
    const result = await call(...all)
    return (left -= 1) < 0 ? never : result
  }
  const dying = (opened: OutboxStore): OutboxStore => ({
    ...opened,
    add: wrap(opened.add),
    since: wrap(opened.since),
    next: wrap(opened.next),
    change: wrap(opened.change),
    identify: wrap(opened.identify),
  })
  return { store: async (...all) => dying(await store(...all)), fetch: wrap(log.fake.fetch) as typeof fetch }
}

const bodiesOf = (databases: Map<string, Held>): number[] =>
  [...databases.values()].flatMap(({ records }) => records.map(({ body }) => JSON.parse(new TextDecoder().decode(body)) as number))

test("a record is kept, sent and acknowledged, and each step is told", async () => {
  const log = new Log()
  const { append, fates } = log.box(memory())
  const [one] = await Promise.all([append(1), world.pass(10)])
  assert.equal(one, at(1))
  assert.deepEqual(fates.map(({ state }) => state), ["stored", "sent", "acknowledged"])
  assert.deepEqual(fates.map(({ key, url, data }) => [key, url, data]), Array(3).fill([1, URL_, 1]))
})

test("queued: resolves when it is kept; a stream of text keeps what it is", async () => {
  const log = new Log()
  log.fault = () => "unsent"
  const databases = new Map<string, Held>()
  const { box } = log.box(memory(databases))
  const text = stream<string>(URL_, { fetch: log.fake.fetch, environment: world, type: "text/plain" })
  assert.equal(await box.append(text, "hello", { queued: true }), "")
  assert.deepEqual([...databases.values()].flatMap(({ records }) => records.map(({ type }) => type)), ["text/plain"])
})

test("reloaded at every step: all that was kept arrives once and in order, and a number is one body", async () => {
  let whole = false
  let steps = 0
  for (; !whole; steps += 1) {
    world = new World()
    const log = new Log()
    const databases = new Map<string, Held>()
    const { store, fetch } = mortal(memory(databases), log, steps)
    const open = (url: string) => stream<never>(url, { fetch, environment: world, type: "application/json" })
    const old = outbox("notes", { user: "ada", store, environment: world, stream: open })
    const answered: number[] = []
    for (const value of [1, 2, 3]) {
      void old.append(open(URL_), value as never).then(() => answered.push(value), () => undefined)
      await settle()
    }
    await world.pass(5000)
    whole = answered.length === 3
    // Another process: what was in memory is gone, what was kept is there.
    const kept = structuredClone(databases)
    const known = bodiesOf(kept)
    const again = log.box(memory(kept))
    await world.pass(5000)
    assert.deepEqual(log.records, [1, 2, 3].slice(0, log.records.length), `${steps}: in order, and once`)
    for (const value of [...known, ...answered]) assert.ok(log.records.includes(value), `${steps}: ${value} was kept`)
    assert.deepEqual(again.told(), known.map((value) => `acknowledged ${value}`), `${steps}`)
    const requests = new Set(log.asked)
    assert.equal(new Set([...requests].map((line) => line.split(" ", 4).join(" "))).size, requests.size, `${steps}`)
    assert.deepEqual(bodiesOf(kept), [])
    assert.ok(steps < 100)
  }
  assert.ok(steps > 15, `${steps} steps`)
})

test("a toxic network and a reload every second: once, and in order", async () => {
  const log = new Log()
  const chance = dice(14)
  log.fault = () => (["lost", "unsent", undefined, problem(503, { code: "unavailable" })] as const)[Math.floor(chance() * 4)]
  const store = memory()
  let sent = 0
  for (let life = 0; life < 30; life += 1) {
    const { box } = log.box(store)
    for (let count = 0; count < 3; count += 1) await box.append(log.stream(), sent++ as never, { queued: true })
    await world.pass(1000)
    await box.close()
  }
  log.fault = () => undefined
  log.box(store)
  await world.pass(HOUR)
  assert.deepEqual(log.records, Array.from({ length: 90 }, (_, index) => index))
})

test("offline: few requests; online again: sent at once", async () => {
  const log = new Log()
  log.fault = () => "unsent"
  const { append } = log.box(memory())
  const done = append(1)
  await world.pass(HOUR)
  assert.ok(log.fake.asked.length <= 15 * 60, `${log.fake.asked.length} requests`)
  // Of a minute, twelve at most: after one, it may ask.
  const before = log.fake.asked.length
  log.fault = () => undefined
  world.tell("online")
  await world.pass(60_000)
  assert.equal(await done, at(1))
  assert.equal(log.fake.asked.length, before + 1)
})

test("a server that forgot: what nobody answered is unknown, the rest goes out under a new epoch", async () => {
  const log = new Log()
  const { append, told } = log.box(memory())
  await Promise.all([append(1), world.pass(10)])
  log.fault = () => "lost"
  const lost = append(2)
  await world.pass(10)
  const later = append(3)
  await world.pass(10)
  log.fault = () => undefined
  log.producers.clear()
  await world.pass(60_000)
  assert.equal(await lost, "unknown-outcome")
  assert.equal(await later, at(3))
  assert.deepEqual(told(), ["acknowledged 1", "unknown 2", "acknowledged 3"])
  assert.deepEqual(log.records, [1, 2, 3])
  assert.match(log.asked.at(-1) as string, / 1 0 \[3\]$/)
})

test("a server that forgot, and says so to the first request: nothing is lost, nothing unknown", async () => {
  const log = new Log()
  const { append, told } = log.box(memory())
  await Promise.all([append(1), world.pass(10)])
  log.producers.clear()
  // It knows nothing of this producer, under any epoch.
  const [two] = await Promise.all([append(2), world.pass(60_000)])
  assert.equal(two, at(2))
  assert.deepEqual(told(), ["acknowledged 1", "acknowledged 2"])
})

test("sent by an earlier page, which had no answer, to a server that forgot: unknown, not sent twice", async () => {
  const log = new Log()
  const store = memory()
  const first = log.box(store)
  await Promise.all([first.append(1), world.pass(10)])
  log.fault = () => "lost"
  void first.append(2)
  await world.pass(10)
  await first.box.close()
  log.fault = () => undefined
  log.producers.clear()
  const { told } = log.box(store)
  await world.pass(60_000)
  assert.deepEqual(told(), ["unknown 2"])
  assert.deepEqual(log.records, [1, 2])
})

test("a server that never stops saying so is not asked more often than it may be", async () => {
  const log = new Log()
  log.fault = () => problem(409, { code: "producer-gap" }, { "producer-expected-seq": "0" })
  void log.box(memory()).append(1)
  await world.pass(10 * 60_000)
  assert.ok(log.fake.asked.length > 5 && log.fake.asked.length <= 150, `${log.fake.asked.length} requests`)
})

test("a batch that the server has already is acknowledged", async () => {
  const log = new Log()
  log.fault = (index) => (index ? problem(409, { code: "producer-gap" }, { "producer-expected-seq": "1" }) : "lost")
  const { append, told } = log.box(memory())
  void append(1)
  await world.pass(10_000)
  assert.deepEqual(told(), ["acknowledged 1"])
})

test("a copy of the database elsewhere has taken the name: it is taken back, and nothing is lost", async () => {
  const log = new Log()
  const { append } = log.box(memory())
  await Promise.all([append(1), world.pass(10)])
  for (const [key] of log.producers) log.producers.set(key, [4, 2])
  const [two] = await Promise.all([append(2), world.pass(60_000)])
  assert.equal(two, at(2))
  assert.match(log.asked.at(-1) as string, / 5 0 \[2\]$/)
})

test("refused: told, and what is behind it goes on under another epoch", async () => {
  const log = new Log()
  log.fault = (index) => (index === 0 ? problem(422, { code: "schema-mismatch", path: "$.x" }) : undefined)
  const { append, fates, told } = log.box(memory())
  const [one] = await Promise.all([append(1), world.pass(10)])
  const [two] = await Promise.all([append(2), world.pass(10)])
  assert.equal(one, "schema-mismatch")
  assert.equal(two, at(1))
  assert.deepEqual(told(), ["refused 1", "acknowledged 2"])
  const error = fates.find(({ state }) => state === "refused")?.error
  assert.equal(error?.facts.path, "$.x")
  assert.equal(error?.message.match(/schema-mismatch/g)?.length, 1)
  assert.match(log.asked.at(-1) as string, / 1 0 \[2\]$/)
  assert.equal(log.fake.asked.length, 2)
})

test("401 and a login page pass: the record is not lost", async () => {
  const log = new Log()
  log.fault = (index) => (index < 5 ? problem(401, { code: "not-authorized" }) : index < 10 ? new Response("log in", { status: 200 }) : undefined)
  const { append } = log.box(memory())
  const [one] = await Promise.all([append(1), world.pass(HOUR)])
  assert.equal(one, at(1))
})

test("expiry: what was never sent is expired, what may have arrived is unknown", async () => {
  const log = new Log()
  log.fault = () => "unsent"
  const { append, told } = log.box(memory(), { expires: HOUR })
  const one = append(1)
  await world.pass(0)
  const two = append(2)
  await world.pass(HOUR - 1)
  assert.deepEqual(told(), [])
  await world.pass(1)
  assert.deepEqual(await Promise.all([one, two]), ["unknown-outcome", "outbox-expired"])
  assert.deepEqual(told(), ["unknown 1", "expired 2"])
  log.fault = () => undefined
  const [three] = await Promise.all([append(3), world.pass(60_000)])
  assert.equal(three, at(1))
  assert.match(log.asked.at(-1) as string, / 1 0 \[3\]$/)
})

test("full: the newest is refused, and there is room again when something was sent", async () => {
  const log = new Log()
  log.fault = () => "unsent"
  const { append } = log.box(memory(), { most: 10 })
  const one = append("12345")
  await world.pass(10)
  assert.equal(await append("12345"), "outbox-full")
  log.fault = () => undefined
  await world.pass(60_000)
  assert.equal(await one, at(1))
  const [two] = await Promise.all([append("12345"), world.pass(10)])
  assert.equal(two, at(2))
})

test("two users: nobody sees or sends what is another's; after clear nothing is there", async () => {
  const log = new Log()
  log.fault = () => "unsent"
  const databases = new Map<string, Held>()
  const store = memory(databases)
  const ada = log.box(store)
  const secret = ada.append("secret")
  await world.pass(10)
  const bob = log.box(store, { user: "bob" })
  const tab = log.box(store)
  await world.pass(10)
  await ada.box.clear()
  assert.equal(await secret, "stopped")
  assert.equal(await ada.append("late"), "stopped")
  assert.equal(await tab.append("late"), "stopped", "another tab of the same user is told")
  log.fault = () => undefined
  const [one] = await Promise.all([bob.append("bob's"), world.pass(HOUR)])
  assert.equal(one, at(1))
  assert.deepEqual(log.records, ["bob's"])
  assert.deepEqual(bob.told(), ["acknowledged bob's"])
  assert.deepEqual([...databases.keys()], ["headwater/1/notes/bob"])
})

test("two tabs: one sends for both, each is told, and the other one goes on when it is closed", async () => {
  const log = new Log()
  const store = memory()
  const [first, second] = [log.box(store), log.box(store)]
  await Promise.all([first.append(1), second.append(2), first.append(3), world.pass(10)])
  assert.deepEqual(log.records, [1, 2, 3])
  assert.equal(log.producers.size, 1)
  assert.equal(first.told().length, 3)
  assert.deepEqual(second.told(), first.told())
  log.fault = () => "held"
  const held = second.append(4)
  await world.pass(10)
  log.fault = () => undefined
  await Promise.all([first.box.close(), world.pass(60_000)])
  assert.equal(await held, at(4))
  assert.deepEqual(log.records, [1, 2, 3, 4])
})

test("where nothing keeps two from sending, the one that is behind stops", async () => {
  const log = new Log()
  const store = memory()
  const free: StoreFactory = async (...all) => ({ ...(await store(...all)), turn: async (_, run) => run() })
  const [first, second] = [log.box(free), log.box(free)]
  await Promise.all([first.append(1), world.pass(10)])
  void second.append(2)
  void first.append(3)
  void second.append(4)
  await world.pass(60_000)
  assert.deepEqual([...log.records].sort(), [1, 2, 3, 4])
})

test("streams go side by side; one that is stuck does not hold another", async () => {
  const log = new Log()
  log.fault = (_, { url }) => (url.pathname.endsWith("/7") ? "held" : undefined)
  const { append } = log.box(memory())
  void append(1)
  const [two] = await Promise.all([append(2, URL_.replace(/7$/, "8")), world.pass(10)])
  assert.equal(two, at(2))
})

test("a store that fails: nothing is sent that is not written down, and it is tried again", async () => {
  const log = new Log()
  const store = memory()
  let broken = 3
  const failing: StoreFactory = async (...all) => {
    const opened = await store(...all)
    return { ...opened, change: async (step) => ((broken -= 1) < 0 ? opened.change(step) : Promise.reject(new Error("full"))) }
  }
  const { append } = log.box(failing)
  const [one] = await Promise.all([append(1), world.pass(60_000)])
  assert.equal(one, at(1))
  assert.equal(log.asked.length, 1)
})

test("no IndexedDB is an error with a code, and so are a record that is none and options that are none", async () => {
  const log = new Log()
  const box = outbox("notes", { user: "ada", environment: world })
  await assert.rejects(box.append(log.stream(), 1 as never), { code: "outbox-storage" })
  await box.close()
  await assert.rejects(indexedDb("x", () => undefined), { code: "outbox-storage" })
  await assert.rejects(log.box(memory()).box.append(log.stream(), undefined as never), { code: "bad-record" })
  for (const wrong of [{ user: "" }, { most: 0 }, { expires: 7 * 24 * HOUR }]) {
    assert.throws(() => outbox("notes", { user: "ada", store: memory(), ...wrong }), { code: "bad-request" })
  }
})

test("closed: nothing stays behind, and the record is kept", async () => {
  const log = new Log()
  log.fault = () => "unsent"
  const store = memory()
  const { append, box } = log.box(store)
  const one = append(1)
  await world.pass(10)
  await box.close()
  await box.close()
  assert.equal(await one, "stopped")
  assert.equal(world.watchers, 0)
  assert.equal(world.timers, 0)
  log.fault = () => undefined
  const later = log.box(store)
  await world.pass(60_000)
  assert.deepEqual(later.told(), ["acknowledged 1"])
})
