/** The drop-in: what the standard says of an EventSource, and what it does not: a 503 is no end. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { ReconnectingEventSource, type ReconnectingEventSourceInit } from "../src/eventsource.ts"
import { Fake, Script, reply, withStatus } from "./support/server.ts"
import { World, settle } from "./support/world.ts"

let world: World
beforeEach(() => {
  world = new World()
})

function open(fake: Fake, init: ReconnectingEventSourceInit = {}) {
  const source = new ReconnectingEventSource("http://127.0.0.1:1/events", { fetch: fake.fetch, environment: world, ...init })
  const told: string[] = []
  source.onopen = () => told.push(`open ${source.readyState}`)
  source.onmessage = ({ data, lastEventId, origin }) => told.push(`${String(data)} ${lastEventId} ${origin}`)
  source.onerror = () => told.push(`error ${source.readyState}`)
  return { source, told }
}

test("messages, with their id and origin; a lost connection is taken up behind the last id", async () => {
  const scripts = [new Script(), new Script()]
  const fake = new Fake((_asked, index) => reply(scripts[index] as Script))
  const { source, told } = open(fake)
  assert.equal(source.readyState, source.CONNECTING)
  await settle()
  scripts[0]?.say("retry:500\nid:ü1\ndata:a\ndata:b\n\nid:2\ndata:lost")
  await settle()
  scripts[0]?.end()
  await settle()
  assert.equal(source.readyState, ReconnectingEventSource.CONNECTING)
  await world.pass(499)
  assert.equal(fake.asked.length, 1, "retry: is a floor")
  await world.pass(200)
  assert.deepEqual(told, ["open 1", "a\nb ü1 http://127.0.0.1:1", "error 0", "open 1"])
  const sent = fake.asked[1]?.headers.get("last-event-id") ?? ""
  assert.equal(Buffer.from(sent, "latin1").toString("utf8"), "ü1")
  assert.equal(fake.asked[0]?.headers.get("last-event-id"), null)
  assert.equal(fake.asked[0]?.headers.get("accept"), "text/event-stream")
  source.close()
  await world.pass(0)
  assert.equal(world.timers + world.watchers, 0)
})

test("events of a name go to its listeners alone; an object that handles events is one", async () => {
  const fake = new Fake(({ signal }) => reply(new Script(signal).say("event:tick\ndata:1\n\ndata:2\n\n")))
  const { source, told } = open(fake)
  const ticks: unknown[] = []
  source.addEventListener("tick", { handleEvent: (event: MessageEvent) => ticks.push(event.data) } as never)
  await settle()
  await settle()
  assert.deepEqual(ticks, ["1"])
  assert.deepEqual(told, ["open 1", "2  http://127.0.0.1:1"])
  source.close()
})

test("a passing status is tried again, with the server's hint; without retryStatuses it is the end, as the standard says", async () => {
  const busy = new Fake((_asked, index) => (index ? reply("data:1\n\n") : new Response(null, { status: 503, headers: { "retry-after": "7" } })))
  const { source, told } = open(busy)
  await world.pass(6999)
  assert.equal(busy.asked.length, 1)
  await world.pass(3000)
  assert.deepEqual(told.slice(0, 3), ["error 0", "open 1", "1  http://127.0.0.1:1"])
  source.close()
  const strict = open(new Fake(() => new Response(null, { status: 503 })), { retryStatuses: [] })
  await world.pass(60_000)
  assert.deepEqual(strict.told, ["error 2"])
})

test("204, another type and other statuses end it", async () => {
  const ends = [
    () => new Response(null, { status: 204 }),
    () => reply("data:1\n\n", { "content-type": "text/html" }),
    () => reply("data:1\n\n", { "content-type": "text/event-streams" }),
    () => withStatus(reply("data:1\n\n"), 210),
    () => new Response(null, { status: 404 }),
    () => new Response(null, { status: 401 }),
  ]
  for (const end of ends) {
    const fake = new Fake(end)
    const { told } = open(fake)
    await world.pass(600_000)
    assert.deepEqual(told, ["error 2"])
    assert.equal(fake.asked.length, 1)
  }
})

test("close() in a listener, and before the answer: nothing more is told", async () => {
  const one = open(new Fake(({ signal }) => reply(new Script(signal).say("data:1\n\ndata:2\n\n"))))
  one.source.addEventListener("message", () => one.source.close())
  await world.pass(60_000)
  assert.deepEqual(one.told, ["open 1", "1  http://127.0.0.1:1"])
  const two = open(new Fake(() => reply("data:1\n\n")))
  two.source.close()
  await world.pass(60_000)
  assert.deepEqual(two.told, [])
  assert.equal(two.source.readyState, 2)
})

test("what is not there or refuses is asked seldom, and never in a hot loop", async () => {
  const fake = new Fake(() => new TypeError("fetch failed"))
  const { source } = open(fake, { reconnectionTime: 0 })
  world.chance = () => 0
  await world.pass(59_999)
  assert.ok(fake.asked.length <= 15, `${fake.asked.length} requests in a minute`)
  source.close()
})

test("handlers are replaced, removed, and nothing but functions", () => {
  const source = new ReconnectingEventSource("http://127.0.0.1:1/a", { fetch: new Fake(() => reply("")).fetch, environment: world })
  const told: number[] = []
  source.onopen = () => told.push(1)
  source.onopen = () => told.push(2)
  source.dispatchEvent(new Event("open"))
  assert.deepEqual(told, [2])
  source.onopen = null
  source.dispatchEvent(new Event("open"))
  source.onmessage = "nothing" as never
  assert.equal(source.onmessage, null)
  assert.deepEqual(told, [2])
  source.close()
})

test("what is no HTTP is the end at once", async () => {
  const source = new ReconnectingEventSource("ftp://example.test/", { environment: world })
  let errors = 0
  source.onerror = () => (errors += 1)
  await settle()
  assert.deepEqual([source.readyState, errors], [2, 1])
})

test("a URL that is none is a SyntaxError; what makes text is one", () => {
  assert.throws(() => new ReconnectingEventSource("http://this is invalid/"), { name: "SyntaxError" })
  const source = new ReconnectingEventSource({ toString: () => "http://127.0.0.1:1/b" } as never, { environment: world, fetch: new Fake(() => reply("")).fetch })
  assert.equal(source.url, "http://127.0.0.1:1/b")
  assert.equal(source.withCredentials, false)
  assert.deepEqual([ReconnectingEventSource.CONNECTING, ReconnectingEventSource.OPEN, ReconnectingEventSource.CLOSED], [0, 1, 2])
  source.close()
})
