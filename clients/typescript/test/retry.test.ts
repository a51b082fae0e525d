/** When to try again: the rules one by one, and a storm of clients. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { stream } from "../src/index.ts"
import { type Outcome, backoffOf, retryOf } from "../src/retry.ts"
import { forget } from "../src/transports/choice.ts"
import { Fake, Script, event, reply } from "./support/server.ts"
import { World, dice, settle } from "./support/world.ts"

const LOST = {}

/** A backoff, and a clock that stands where a test puts it; chance always gives the same. */
function at(chance: number, retry?: Parameters<typeof retryOf>[0]) {
  const clock = { time: 0, now: () => clock.time, random: () => chance }
  const backoff = backoffOf(retryOf(retry), clock)
  return {
    backoff,
    begin: (time: number) => ((clock.time = time), backoff.begin()),
    progress: (time: number) => ((clock.time = time), backoff.progress()),
    end: (outcome: Outcome, time: number) => ((clock.time = time), backoff.end(outcome)),
  }
}

/** Waits of losses one behind the other. */
function waitsOf(chance: number, count: number, backoff = at(chance)): number[] {
  let now = 0
  return Array.from({ length: count }, () => {
    backoff.begin(now)
    const wait = backoff.end(LOST, now) ?? NaN
    now += wait
    return wait
  })
}

test("what brings nothing waits up to twice as long each time, to a cap, and no longer than twice base and the trouble", () => {
  const bound = 0.999
  const waits = waitsOf(bound, 7).map((wait, index) => (index === 1 ? wait : wait / bound))
  const [first, , third = 0] = waits
  assert.equal(first, 1000)
  assert.ok(third > 2 * (bound * 1000 + 1000) * 0.9 && third <= 4000)
  assert.ok(waits.slice(3).every((wait, index) => wait <= Math.min(30_000, 1000 * 2 ** (index + 3))))
  assert.equal(waits.at(-1), 30_000)
})

test("the second wait is the counterpart of the first, behind something good, too", () => {
  for (const part of [0, 0.25, 0.999]) {
    const [first, second, third] = waitsOf(part, 3)
    assert.deepEqual([first, second], [part * 1000, (1 - part) * 2000])
    assert.equal(third, part * Math.min(4000, 2 * (1000 + part * 1000 + (1 - part) * 2000)))
    const moved = at(part)
    moved.begin(0)
    moved.progress(0)
    assert.deepEqual(waitsOf(part, 2, moved), [part * 1000, (1 - part) * 2000])
  }
})

test("who tries often is not made to wait for a minute: a dozen a minute, spread over it", () => {
  const backoff = at(0.5, { base: 100, cap: 100 })
  const begun: number[] = []
  for (let now = 0; now < 600_000; ) {
    begun.push(now)
    backoff.begin(now)
    const wait = backoff.end(LOST, now + 400) ?? NaN
    assert.ok(wait <= 12_000, `${wait} ms`)
    now += 400 + wait
  }
  assert.ok((begun[6] ?? NaN) < 5000)
  for (const from of begun) assert.ok(begun.filter((time) => time >= from && time < from + 60_000).length <= 12)
})

test("who drew short waits at first does not wait half a minute after a moment", () => {
  const backoff = at(1)
  backoff.begin(0)
  for (let count = 0; count < 10; count += 1) backoff.end(LOST, 0)
  assert.equal(backoff.end(LOST, 500), 3000)
})

test("jitter is full, from 0", () => {
  assert.equal(at(0).end(LOST, 0), 0)
  assert.equal(at(0.5).end(LOST, 0), 500)
})

test("what moved the offset forward waits up to base, however many failed before it", () => {
  const backoff = at(1)
  for (let count = 0; count < 6; count += 1) backoff.end(LOST, 0)
  backoff.begin(0)
  backoff.progress(0)
  assert.equal(backoff.end({ up: 10, heard: true }, 0), 1000)
})

test("a connection that was quick to come and to go counts; one that held and was heard does not", () => {
  const backoff = at(1)
  backoff.end({ up: 4999, heard: true }, 0)
  assert.equal(backoff.backoff.count, 1)
  backoff.end({ up: 5000, heard: false }, 0)
  assert.equal(backoff.backoff.count, 2)
  assert.equal(backoff.end({ up: 5000, heard: true }, 0), 1000)
})

test("a hint is a floor; what all are told is spread, a place of one's own is not", () => {
  const backoff = at(1)
  assert.equal(backoff.end({ ...LOST, hint: 100_000 }, 0), 130_000)
  assert.equal(backoff.end({ ...LOST, hint: 100_000, personal: true }, 0), 100_000)
  assert.equal(backoff.end({ ...LOST, hint: 1 }, 0), 2000)
})

test("a planned end is followed at once, but one a second", () => {
  const backoff = at(1)
  const planned = { heard: true, planned: true }
  assert.equal(backoff.end({ ...planned, up: 60_000 }, 0), 0)
  backoff.begin(0)
  backoff.progress(0)
  assert.equal(backoff.end({ ...planned, up: 400 }, 400), 600)
})

test("an end that names no seconds waits by the rules", () => {
  const backoff = at(0.5)
  backoff.begin(0)
  assert.equal(backoff.end({ up: 100, hint: NaN, personal: true, planned: true }, 100), 500)
})

test("attempts and deadline end it", () => {
  const two = at(0, { attempts: 2 })
  assert.deepEqual([two.end(LOST, 0), two.end(LOST, 0), two.end(LOST, 0)], [0, 2000, null])
  const short = at(0.5, { deadline: 1500 })
  short.begin(0)
  assert.deepEqual([short.end(LOST, 0), short.end(LOST, 500), short.end(LOST, 1500)], [500, 1000, null])
  assert.equal(at(0, false).end(LOST, 0), null)
})

test("a storm: 2,000 clients lose their server for five seconds", async () => {
  forget()
  const world = new World()
  world.chance = dice(11)
  const clients = 2000
  let down = false
  const connects: number[] = []
  const scripts = new Set<Script>()
  const back = new Set<number>()
  const fake = new Fake(({ signal, headers }) => {
    if (world.time > 60_000) connects.push(world.time)
    if (down) return new TypeError("fetch failed")
    const script = new Script(signal)
    scripts.add(script)
    if (world.time > 60_000) back.add(Number(headers.get("x-client")))
    return reply(script)
  })
  const readers = Array.from({ length: clients }, (_each, index) => {
    const reader = stream("http://127.0.0.1:1/a", { fetch: fake.fetch, environment: world, headers: { "x-client": String(index) } }).read()
    void (async () => {
      for await (const _record of reader) void 0
    })().catch(() => undefined)
    return reader
  })
  while (scripts.size < clients) await settle()
  for (const script of scripts) script.say(event(1))
  // Long after the start, so that every connection has held.
  await settle()
  world.time = 60_001
  down = true
  for (const script of scripts) script.cut()
  await world.pass(5000)
  down = false
  await world.pass(25_000)
  assert.equal(back.size, clients, "all are back in 25 s")
  // Of any second, wherever it begins.
  const most = Math.max(...connects.map((from) => connects.filter((time) => time >= from && time < from + 1000).length))
  assert.ok(most <= connects.length * 0.3, `${most} of ${connects.length} connects in a second`)
  for (const reader of readers) reader.close()
  await world.pass(0)
  assert.equal(world.timers + world.watchers, 0)
})
