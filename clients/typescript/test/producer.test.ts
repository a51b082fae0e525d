/** A producer: what it appends arrives once and in order, or its fate is told. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { type HeadwaterError, type ProducerOptions, stream } from "../src/index.ts"
import { type Asked, Fake, at, problem, withStatus } from "./support/server.ts"
import { World } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"

let world: World
beforeEach(() => {
  world = new World()
})

/** A server that keeps what producers send, as the protocol says. */
class Log {
  records: unknown[] = []
  next = new Map<string, number>()
  epoch = 0
  closed = false
  /** What happens to the request of this number, in place of or behind the append. */
  faults: ((asked: Asked) => "lost" | Response | Promise<Response> | undefined)[] = []
  fake: Fake = new Fake((asked, index) => this.answer(asked, index))
  bodies: string[] = []

  answer(asked: Asked, index: number): Response | Error | Promise<Response> {
    const fault = this.faults[index]?.(asked)
    if (fault instanceof Response || fault instanceof Promise) return fault
    const response = this.append(asked)
    return fault === "lost" ? new TypeError("fetch failed") : response
  }

  append(asked: Asked): Response {
    const { headers } = asked
    const text = new TextDecoder().decode(asked.body)
    this.bodies.push(text)
    const id = headers.get("producer-id") as string
    const epoch = Number(headers.get("producer-epoch"))
    const seq = Number(headers.get("producer-seq"))
    if (epoch < this.epoch) return problem(403, { code: "producer-fenced" }, { "producer-epoch": String(this.epoch) })
    const key = `${id}/${epoch}`
    const expected = this.next.get(key) ?? 0
    if (seq < expected) return new Response(null, { status: 204, headers: { "stream-next-offset": at(this.records.length) } })
    if (this.closed) return problem(409, { code: "stream-closed" }, { "stream-closed": "true" })
    if (seq > expected) return problem(409, { code: "producer-gap" }, { "producer-expected-seq": String(expected) })
    this.next.set(key, seq + 1)
    if (text) this.records.push(...(JSON.parse(text) as unknown[]))
    if (headers.get("stream-closed") === "true") this.closed = true
    return new Response(null, { status: 200, headers: { "stream-next-offset": at(this.records.length) } })
  }

  producer(options: ProducerOptions = {}) {
    const { fetch } = this.fake
    return stream<number>(URL_, { fetch, environment: world, type: "application/json" }).producer({ id: "p", ...options })
  }
}

const fate = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: HeadwaterError) => error.code)

test("records of one turn are one request, and each knows its offset", async () => {
  const log = new Log()
  const appended = Promise.all([1, 2, 3].map((value) => log.producer().append(value)))
  const producer = log.producer()
  const three = Promise.all([4, 5, 6].map((value) => producer.append(value)))
  await world.pass(5)
  await three
  await appended.catch(() => undefined)
  assert.ok(log.bodies.includes("[4,5,6]"))
})

test("told of a gap that is filled by then: sent again, and nothing is given up", async () => {
  const log = new Log()
  const producer = log.producer({ batchBytes: 1, linger: 0 })
  await Promise.all([producer.append(1), world.pass(10)])
  const later = (answer: () => Response, ms: number) => new Promise<Response>((resolve) => world.timer(ms, () => resolve(answer())))
  log.faults[1] = (asked) => later(() => log.append(asked), 40)
  // It overtakes the one before it, and is answered when that one is acknowledged.
  log.faults[2] = (asked) => {
    const answer = log.append(asked)
    assert.equal(answer.status, 409)
    return later(() => answer, 80)
  }
  log.faults[3] = () => "lost"
  const all = Promise.all([fate(producer.append(2)), fate(producer.append(3)), fate(producer.append(4))])
  await world.pass(60_000)
  assert.deepEqual(log.records, [1, 2, 3, 4])
  assert.ok((await all).every((told) => String(told).includes("_")), String(await all))
})

test("a server that is gone: one request at a time asks for it, no more than 15 a minute, and what waits meanwhile goes together", async () => {
  for (const chance of [0, 0.5, 0.999]) {
    const log = new Log()
    world = new World()
    world.chance = () => chance
    let isGone = false
    const times: number[] = []
    log.fake = new Fake((asked, index) => {
      times.push(world.time)
      return isGone ? new TypeError("fetch failed") : log.answer(asked, index)
    })
    const producer = log.producer()
    const all = Array.from({ length: 150 }, (_each, n) => n)
    const appends: Promise<unknown>[] = []
    for (const n of all) {
      isGone = n >= 10
      appends.push(producer.append(n))
      await world.pass(1000)
    }
    const gone = times.filter((time) => time >= 10_000)
    for (const from of gone) assert.ok(gone.filter((time) => time >= from && time < from + 60_000).length <= 15)
    isGone = false
    const before = times.length
    await world.pass(60_000)
    await Promise.all(appends)
    assert.deepEqual(log.records, all)
    assert.ok(times.length - before <= 6, `${times.length - before} requests`)
    await producer[Symbol.asyncDispose]()
  }
})

test("every status: no more than 15 requests of a producer bring nothing in a minute", async () => {
  for (let status = 200; status < 600; status += 1) {
    const times: number[] = []
    const log = new Log()
    world = new World()
    log.fake = new Fake(() => {
      times.push(world.time)
      return withStatus(new Response(null, { headers: { "content-type": "text/html" } }), status)
    })
    const producer = log.producer()
    const appends = [1, 2, 3, 4, 5, 6].map((value) => {
      const appended = producer.append(value).catch(() => undefined)
      void producer.flush().catch(() => undefined)
      return appended
    })
    await world.pass(300_000)
    for (const from of times) {
      const requests = times.filter((time) => time >= from && time < from + 60_000).length
      assert.ok(requests <= 15 || status < 300, `${status}: ${requests} requests in a minute`)
    }
    void appends
  }
})

test("a lost answer: the same bytes again, and nothing is there twice", async () => {
  const log = new Log()
  log.faults = [() => "lost", () => "lost"]
  const producer = log.producer()
  const one = producer.append(1)
  await world.pass(100)
  const two = producer.append(2)
  await world.pass(20_000)
  assert.deepEqual([await one, await two].length, 2)
  assert.deepEqual(log.records, [1, 2])
  assert.equal(log.bodies[0], "[1]")
  assert.equal(log.bodies.filter((body) => body === "[1]").length >= 2, true)
})

test("five batches in flight that overtake each other arrive in order", async () => {
  const log = new Log()
  // The first two are answered 503: those behind them are there too early.
  log.faults = [() => problem(503, { code: "unavailable" }), () => problem(503, { code: "unavailable" })]
  const producer = log.producer({ batchBytes: 1, linger: 0 })
  const all = Promise.all(Array.from({ length: 20 }, (_each, index) => producer.append(index)))
  await world.pass(60_000)
  await all
  assert.deepEqual(log.records, Array.from({ length: 20 }, (_each, index) => index))
  assert.equal(producer.pending, 0)
})

test("a refused batch is told, and those behind it go on without it", async () => {
  const log = new Log()
  log.faults = [undefined, () => problem(422, { code: "schema-mismatch" })] as Log["faults"]
  const producer = log.producer({ batchBytes: 1, linger: 0, inFlight: 3 })
  const fates = Promise.all([1, 2, 3, 4].map((value) => fate(producer.append(value))))
  await world.pass(60_000)
  assert.deepEqual((await fates).map((each) => each === "schema-mismatch"), [false, true, false, false])
  assert.deepEqual(log.records, [1, 3, 4])
})

test("fenced: all are told; with claim the name is taken back", async () => {
  const log = new Log()
  log.epoch = 3
  const loser = log.producer()
  const lost = [fate(loser.append(1)), fate(loser.append(2))]
  await world.pass(10)
  assert.deepEqual(await Promise.all(lost), ["producer-fenced", "producer-fenced"])
  const winner = log.producer({ claim: true })
  const won = winner.append(3)
  await world.pass(10)
  await won
  assert.deepEqual(log.records, [3])
  assert.ok(log.next.has("p/4"))
})

test("the server forgot: what had no answer is of unknown outcome, the rest arrives under a new epoch", async () => {
  const log = new Log()
  const producer = log.producer({ linger: 0, inFlight: 1, batchBytes: 1 })
  const first = producer.append(1)
  await world.pass(10)
  await first
  log.next.clear()
  log.faults = [undefined, () => new Response(null, { status: 503 })] as Log["faults"]
  const second = fate(producer.append(2))
  const third = fate(producer.append(3))
  await world.pass(60_000)
  assert.equal(await second, "unknown-outcome")
  assert.equal(await third, at(2))
  assert.deepEqual(log.records, [1, 3])
})

test("closing comes behind everything, once, whatever is lost", async () => {
  const log = new Log()
  log.faults = [undefined, () => "lost"] as Log["faults"]
  const producer = log.producer()
  const one = producer.append(1)
  await world.pass(10)
  await one
  const closed = producer.close(2)
  const again = producer.close()
  await world.pass(60_000)
  assert.equal(await closed, await again)
  assert.deepEqual(log.records, [1, 2])
  assert.equal(await fate(producer.append(3)), "stream-closed")
})

test("closing goes alone: a stream that is closed refuses what is repeated of the batches before", async () => {
  const log = new Log()
  // As servers of the protocol do: at a closed stream all but the request that closed it are refused.
  const append = log.append.bind(log)
  let last = ""
  log.append = (asked) => {
    const seq = asked.headers.get("producer-seq") ?? ""
    if (log.closed && seq !== last) return problem(409, { code: "stream-closed" }, { "stream-closed": "true" })
    if (asked.headers.get("stream-closed")) last = seq
    return append(asked)
  }
  log.faults = [() => "lost", () => "lost", () => "lost"]
  const producer = log.producer({ batchBytes: 1, linger: 0 })
  const all = Promise.all([producer.append(1), producer.append(2), producer.close(3)])
  await world.pass(60_000)
  await all
  assert.deepEqual(log.records, [1, 2, 3])
})

test("the first batch of an epoch goes alone, so that none overtakes it", async () => {
  const log = new Log()
  log.epoch = 3
  const strict = log.append.bind(log)
  log.append = (asked) => {
    const fresh = !log.next.has(`p/${asked.headers.get("producer-epoch")}`) && Number(asked.headers.get("producer-epoch")) > 3
    if (fresh && asked.headers.get("producer-seq") !== "0") return problem(400, { code: "invalid-producer" })
    return strict(asked)
  }
  let flying = 0
  const fake = new Fake(async (asked, index) => {
    flying += 1
    // The later ones are quicker.
    for (let turn = 0; turn < 10 - (index % 5); turn += 1) await Promise.resolve()
    flying -= 1
    return log.append(asked)
  })
  const jobs = stream<number>(URL_, { fetch: fake.fetch, environment: world, type: "application/json" })
  const producer = jobs.producer({ id: "p", claim: true, batchBytes: 1, linger: 0 })
  const all = Promise.all(Array.from({ length: 10 }, (_each, n) => producer.append(n)))
  await world.pass(60_000)
  await all
  assert.deepEqual(log.records, Array.from({ length: 10 }, (_each, n) => n))
  assert.equal(flying, 0)
})

test("above bufferBytes writing waits for room", async () => {
  const log = new Log()
  const answers: (() => void)[] = []
  const slow = new Fake(async (asked) => {
    await new Promise<void>((resolve) => answers.push(resolve))
    return log.append(asked)
  })
  const producer = stream<string>(URL_, { fetch: slow.fetch, environment: world, type: "application/json" }).producer({
    bufferBytes: 100,
    linger: 0,
  })
  let written = 0
  void (async () => {
    for (let index = 0; index < 10; index += 1) {
      await producer.write("x".repeat(48))
      written += 1
    }
  })()
  await world.pass(10)
  assert.ok(written <= 2, `${written} were written`)
  for (let round = 0; round < 20; round += 1) {
    for (const answer of answers.splice(0)) answer()
    await world.pass(10)
  }
  assert.equal(written, 10)
  assert.equal(log.records.length, 10)
})

test("a signal takes back what is not on its way; what is cannot be", async () => {
  const log = new Log()
  const producer = log.producer()
  const controller = new AbortController()
  const taken = fate(producer.append(1, { signal: controller.signal }))
  const kept = producer.append(2)
  await world.pass(0)
  controller.abort()
  await world.pass(10)
  assert.equal(await taken, "stopped")
  await kept
  assert.deepEqual(log.records, [2])
})

test("without a name a lost answer is of unknown outcome, and is not repeated", async () => {
  const log = new Log()
  const fake = new Fake(() => new TypeError("fetch failed"))
  const producer = stream<number>(URL_, { fetch: fake.fetch, environment: world, type: "application/json" }).producer({ idempotent: false })
  const one = fate(producer.append(1))
  await world.pass(60_000)
  assert.equal(await one, "unknown-outcome")
  assert.equal(fake.asked.length, 1)
  assert.deepEqual(log.records, [])
})

test("as a WritableStream: its end closes the stream, its failure fails it", async () => {
  const log = new Log()
  const sent: (string | null)[] = []
  const fake = new Fake((asked) => {
    sent.push(asked.headers.get("stream-failure"))
    return log.append(asked)
  })
  const writer = stream<number>(URL_, { fetch: fake.fetch, environment: world, type: "application/json" }).producer({ linger: 0 }).writable().getWriter()
  void writer.write(1).catch(() => undefined)
  const aborted = writer.abort("no more")
  await world.pass(100)
  await aborted
  assert.ok(log.closed)
  assert.equal(sent.at(-1), "aborted")
})

test("texts are one body, and Protobuf is one message each", async () => {
  for (const [type, requests] of [["text/plain", 1], ["application/x-protobuf", 2]] as const) {
    const fake = new Fake(() => new Response(null, { status: 200, headers: { "stream-next-offset": at(1) } }))
    const producer = stream<string>(URL_, { fetch: fake.fetch, environment: world, type }).producer({ linger: 0 })
    const both = Promise.all([producer.append("a"), producer.append("b")])
    await world.pass(100)
    await both
    assert.equal(fake.asked.length, requests, type)
  }
})

test("a login page in place of an answer: tried again, three times, then told", async () => {
  const page = () => new Response("<p>Sign in", { headers: { "content-type": "text/html" } })
  const log = new Log()
  log.faults = [page, page]
  const producer = log.producer()
  const one = producer.append(1)
  await world.pass(60_000)
  await one
  assert.deepEqual(log.records, [1])
  const never = new Fake(page)
  const jobs = stream<number>(URL_, { fetch: never.fetch, environment: world, type: "application/json" })
  const fates = Promise.all([fate(jobs.append(1)), fate(jobs.head())])
  await world.pass(60_000)
  assert.deepEqual(await fates, ["bad-answer", "bad-answer"])
  assert.equal(never.asked.length, 6)
})

test("the network is back: what waits is sent at once, unless the server asked to wait", async () => {
  for (const [headers, sent] of [[{}, 2], [{ "retry-after": "60" }, 1]] as const) {
    const log = new Log()
    world = new World()
    world.chance = () => 1
    const fake = new Fake((asked, index) => (index ? log.append(asked) : problem(503, { code: "unavailable" }, headers)))
    const producer = stream<number>(URL_, { fetch: fake.fetch, environment: world, type: "application/json" }).producer({ linger: 0 })
    const one = producer.append(1)
    await world.pass(10)
    world.tell("visible")
    await world.pass(0)
    assert.equal(fake.asked.length, sent)
    await world.pass(90_000)
    await one
    assert.deepEqual(log.records, [1])
    assert.equal(world.timers + world.watchers, 0)
  }
})

test("create: also where a server does not create with an append", async () => {
  const log = new Log()
  let there = false
  const fake = new Fake((asked) => {
    if (asked.method === "PUT") there = true
    if (!there) return new Response(null, { status: 404 })
    return asked.method === "PUT" ? new Response(null, { status: 201, headers: { "stream-next-offset": at(0) } }) : log.append(asked)
  })
  const one = stream<number>(URL_, { fetch: fake.fetch, environment: world, type: "application/json" }).append(1, { create: true })
  await world.pass(100)
  await one
  assert.deepEqual(fake.asked.map(({ method }) => method), ["POST", "PUT", "POST"])
  assert.deepEqual(log.records, [1])
})

test("5: a signal that many appends share keeps none of them", async () => {
  const log = new Log()
  const { signal } = new AbortController()
  let listeners = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
    listeners += 1
    addEventListener.apply(signal, given)
  }
  signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
    listeners -= 1
    removeEventListener.apply(signal, given)
  }
  const producer = log.producer()
  const all = Promise.all(Array.from({ length: 50 }, (_each, n) => producer.append(n, { signal })))
  await world.pass(100)
  await all
  assert.equal(listeners, 0)
})
