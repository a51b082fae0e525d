/** Traps that other clients fell into, each with the number it has in the project's list. Those of connections, tabs and React are theirs. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { type HeadwaterError, type Rec, type StreamOptions, stream } from "../src/index.ts"
import { forget } from "../src/transports/choice.ts"
import { Fake, NDJSON, Script, at, event, problem, reply } from "./support/server.ts"
import { World, settle } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"
const CLOSED = `event:stream-closed\nid:${at(9)}\ndata:{}\n\n`

let world: World
beforeEach(() => {
  world = new World()
  forget()
})

const open = <T = number>(fake: Fake, options: StreamOptions<T> = {}) => stream<T>(URL_, { fetch: fake.fetch, environment: world, ...options })

function collect<T>(records: AsyncIterable<Rec<T>>): { got: T[]; done: Promise<unknown> } {
  const got: T[] = []
  const run = async (): Promise<void> => {
    for await (const { data } of records) got.push(data)
  }
  return { got, done: run().catch((error: unknown) => error) }
}

test("1: a server that answers, sends a byte and closes is not asked in a hot loop", async () => {
  const fake = new Fake(() => reply(":\n\n"))
  const reader = open(fake).read({ transport: "sse" })
  void collect(reader)
  await world.pass(10_000)
  assert.ok(fake.asked.length < 8, `${fake.asked.length} requests in 10 s`)
  reader.close()
})

test("2: a platform that says offline cuts nothing, and does not stop attempts for good", async () => {
  const scripts: Script[] = []
  const fake = new Fake(() => {
    scripts.push(new Script())
    return reply(scripts.at(-1) as Script)
  })
  const reader = open(fake).read()
  const { got } = collect(reader)
  await settle()
  world.isOnline = false
  world.tell("offline")
  scripts[0]?.say(event(1))
  await settle()
  assert.deepEqual(got, [1])
  scripts[0]?.cut()
  await settle()
  assert.equal(reader.state, "offline")
  await world.pass(31_000)
  assert.equal(fake.asked.length, 2, "it may lie")
  scripts[1]?.cut()
  await settle()
  world.isOnline = true
  world.tell("online")
  await world.pass(500)
  assert.equal(fake.asked.length, 3, "and what comes back is used at once")
  reader.close()
})

test("3: a hint of 30 days is obeyed, and shown", async () => {
  const fake = new Fake(() => problem(503, { code: "unavailable" }, { "retry-after": String(30 * 86_400) }))
  const reader = open(fake).read()
  void collect(reader)
  await world.pass(86_400_000)
  assert.equal(fake.asked.length, 1)
  assert.ok((reader.retryAt ?? 0) >= 30 * 86_400_000)
  reader.close()
})

test("3: the platform's own timer does not fire at once for longer than it can count", async () => {
  const { platform } = await import("../src/environment.ts")
  let fired = false
  const cancel = platform.timer(2 ** 40, () => (fired = true))
  await new Promise((resolve) => setTimeout(resolve, 20))
  cancel()
  assert.equal(fired, false)
})

test("4: a request that hangs is given up, and nothing is taken from the cache", async () => {
  const inits: (RequestInit | undefined)[] = []
  const hanging: typeof fetch = (_input, init) => {
    inits.push(init)
    return new Promise(() => undefined)
  }
  const reader = stream(URL_, { fetch: hanging, environment: world }).read({ transport: "sse" })
  void collect(reader)
  await world.pass(10_000)
  await world.pass(1000)
  assert.equal(inits.length, 2)
  assert.equal(inits[0]?.cache, "no-store")
  assert.equal(inits[0]?.signal?.aborted, true)
  assert.equal(reader.lastError?.code, "connect-timeout")
  reader.close()
})

test("4: a refusal that does not end is told by its status when its time is over", async () => {
  const fake = new Fake(({ signal }, index) =>
    index ? reply(event(1) + CLOSED) : reply(new Script(signal).say('{"code":'), { "content-type": "application/json" }, 503),
  )
  const reader = open(fake).read()
  const { got, done } = collect(reader)
  await world.pass(9_999)
  assert.equal(reader.attempt, 0)
  await world.pass(2000)
  assert.equal(reader.lastError?.code, "unavailable")
  await done
  assert.deepEqual(got, [1])
  assert.equal(world.timers + world.watchers, 0)
})

test("5: the caller's signal has one listener, however often the client reconnects, and none behind the end", async () => {
  const controller = new AbortController()
  let listeners = 0
  const { addEventListener, removeEventListener } = controller.signal
  controller.signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
    listeners += 1
    addEventListener.apply(controller.signal, given)
  }
  controller.signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
    listeners -= 1
    removeEventListener.apply(controller.signal, given)
  }
  let n = 0
  const fake = new Fake(() => reply(event((n += 1))))
  const reader = open(fake, { signal: controller.signal }).read()
  void collect(reader)
  await world.pass(60_000)
  assert.ok(fake.asked.length > 50)
  assert.ok(listeners <= 4, `${listeners} listeners`)
  reader.close()
  await world.pass(0)
  assert.equal(listeners, 0)
})

test("6: half a character at a cut is not put before the next connection's bytes", async () => {
  const bytes = new TextEncoder().encode(event(2, "ü"))
  const scripts = [new Script(), new Script()]
  const fake = new Fake((_asked, index) => reply(scripts[index] as Script))
  const { got, done } = collect<unknown>(open<unknown>(fake))
  await settle()
  scripts[0]?.say(event(1)).say(bytes.subarray(0, bytes.length - 4))
  await settle()
  scripts[0]?.cut()
  await world.pass(1000)
  scripts[1]?.say(bytes).say(CLOSED)
  await done
  assert.deepEqual(got, [1, "ü"])
})

test("7, 9: nothing is read that is not asked for: not a chunk ahead", async () => {
  for (const through of ["iterator", "readable", "bytes"] as const) {
    const script = new Script()
    const fake = new Fake(() => reply(script))
    const reader = open(fake).read()
    if (through !== "iterator") {
      const readable = through === "readable" ? reader.readable() : reader.bytes()
      await settle()
      assert.equal(fake.asked.length, 0, "not even a request")
      const consumer = (readable as ReadableStream<unknown>).getReader()
      script.say(event(1))
      await consumer.read()
      await world.pass(60_000)
      assert.ok(script.pulled <= 1, `${script.pulled} chunks were asked for`)
      await consumer.cancel()
    } else {
      const iterator = reader[Symbol.asyncIterator]()
      script.say(event(1) + event(2))
      await iterator.next()
      await iterator.next()
      await world.pass(60_000)
      assert.ok(script.pulled <= 1, `${script.pulled} chunks were asked for`)
      await iterator.return?.()
    }
    assert.equal(script.cancelled, true)
  }
})

test("8: the offset moves, and the checkpoint is saved, when the next record is asked for", async () => {
  const saved: string[] = []
  const checkpoint = { load: () => at(1), save: (offset: string) => void saved.push(offset) }
  const fake = new Fake(() => reply(event(2) + event(3) + CLOSED))
  const reader = open(fake).read({ checkpoint })
  const iterator = reader[Symbol.asyncIterator]()
  await iterator.next()
  assert.deepEqual([reader.offset, ...saved], [at(1)])
  await iterator.next()
  assert.deepEqual([reader.offset, ...saved], [at(2), at(2)])
  await iterator.next()
  assert.deepEqual(saved, [at(2), at(3)])
  assert.equal(fake.asked[0]?.url.searchParams.get("offset"), at(1))
})

test("10: a relative URL is the page's or the worker's, and no global is asked for at import", async () => {
  const holder = globalThis as { location?: unknown }
  const named = stream("/v1/stream/a", { environment: world, fetch: new Fake(() => problem(404, {})).fetch })
  assert.equal(named.url, "/v1/stream/a")
  holder.location = { href: "http://worker.test/js/worker.js" }
  try {
    const fake = new Fake(() => problem(404, { code: "stream-not-found" }))
    await collect(stream("/v1/stream/a", { environment: world, fetch: fake.fetch })).done
    assert.equal(fake.asked[0]?.url.href.split("?")[0], "http://worker.test/v1/stream/a")
  } finally {
    delete holder.location
  }
})

test("13: what is frozen is not put together again: a retry has the same bytes and the same number", async () => {
  const fake = new Fake((_asked, index) =>
    index < 2 ? problem(503, { code: "unavailable" }) : new Response(null, { status: 200, headers: { "stream-next-offset": at(1) } }),
  )
  const jobs = open(fake, { type: "application/json" })
  const first = jobs.append(1)
  await world.pass(1)
  const second = jobs.append(2)
  await world.pass(30_000)
  await Promise.all([first, second])
  const told = fake.asked.map(({ body, headers }) => `${headers.get("producer-seq")} ${new TextDecoder().decode(body)}`)
  assert.ok(told.filter((each) => each === "0 [1]").length >= 2)
  assert.ok(told.every((each) => each === "0 [1]" || each === "1 [2]"), told.join())
})

test("16: no unload listener; a page that is put away lets go, and goes on where it was", async () => {
  const scripts = [new Script(), new Script()]
  const fake = new Fake(({ signal }, index) => {
    signal.addEventListener("abort", () => scripts[index]?.cut())
    return reply(scripts[index] as Script)
  })
  const { got, done } = collect(open(fake))
  await settle()
  scripts[0]?.say(event(1))
  await settle()
  world.tell("freeze")
  await settle()
  assert.equal(scripts[0]?.cancelled, true)
  world.tell("resume")
  await world.pass(0)
  assert.equal(fake.asked[1]?.url.searchParams.get("offset"), at(1))
  scripts[1]?.say(event(2) + CLOSED)
  await done
  assert.deepEqual(got, [1, 2])
})

test("17: a head behind which nothing comes for 3 s is turned away from, and remembered for the origin", async () => {
  const page = (n: number, closed = false) =>
    new Response(`[${n}]`, {
      headers: { "content-type": "application/json", "stream-next-offset": at(n), "stream-up-to-date": "true", ...(closed ? { "stream-closed": "true" } : {}) },
    })
  const fake = new Fake(({ headers, signal }) => (headers.get("accept") === "text/event-stream" ? reply(new Script(signal)) : page(1, true)))
  const { got, done } = collect(open(fake))
  await world.pass(3000)
  await world.pass(2000)
  await done
  assert.deepEqual(got, [1])
  const before = fake.asked.length
  await collect(open(fake)).done
  assert.equal(fake.asked.length, before + 1, "no second try of what does not come through")
})

test("22: nothing of MessagePack or Protobuf is in the core", async () => {
  const { readFileSync, readdirSync } = await import("node:fs")
  const source = new URL("../src/", import.meta.url)
  for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue
    for (const [, name] of readFileSync(new URL(file, source), "utf8").matchAll(/^(?:import|export) .*from "([^".][^"]*)"/gm)) {
      if (file !== "react.ts" || name !== "react") assert.fail(`${file} imports ${name}`)
    }
  }
})

test("23: a refused record is told with its place, does not come again, and can be skipped", async () => {
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
    },
  } as const
  let requests = 0
  const fake = new Fake(({ url }) => {
    requests += 1
    const all = event(1) + event(2, "two") + event(3)
    return reply(url.searchParams.get("offset") === "-1" ? all : event(4) + CLOSED)
  })
  const reader = open(fake, { schema }).read()
  const first = collect(reader)
  const error = (await first.done) as HeadwaterError
  assert.equal(error.code, "bad-record")
  assert.equal(error.offset, at(2))
  assert.equal(error.facts.raw, '"two"')
  assert.deepEqual(first.got, [1])
  assert.equal((await reader.end).kind, "error")
  await world.pass(600_000)
  assert.equal(requests, 1, "and nothing is asked for meanwhile")
  reader.skip()
  const rest = collect(reader)
  await world.pass(1000)
  await rest.done
  assert.deepEqual(rest.got, [3, 4])
  assert.equal((await reader.end).kind, "closed")
})

test("24: break ends the request at once, and nothing is left behind", async () => {
  const script = new Script()
  const fake = new Fake(({ signal }) => {
    signal.addEventListener("abort", () => script.cut())
    return reply(script)
  })
  script.say(event(1) + event(2))
  const reader = open(fake).read()
  for await (const _record of reader) break
  assert.equal(script.cancelled, true)
  assert.equal(fake.asked[0]?.signal.aborted, true)
  assert.equal(world.timers + world.watchers, 0)
  assert.deepEqual(await reader.end, { kind: "stopped", offset: "start" })
})

test("after close() nothing revives it", async () => {
  const fake = new Fake(() => new TypeError("fetch failed"))
  const reader = open(fake).read()
  const { done } = collect(reader)
  await world.pass(0)
  reader.close()
  await done
  const before = fake.asked.length
  for (const change of ["online", "visible", "resume"] as const) world.tell(change)
  await world.pass(600_000)
  assert.equal(fake.asked.length, before)
})

test("a machine that slept a day: what is late says look, and the stream goes on where it was", async () => {
  const scripts = [new Script(), new Script()]
  const fake = new Fake(({ signal }, index) => {
    signal.addEventListener("abort", () => scripts[index]?.cut())
    return reply(scripts[index] as Script)
  })
  const reader = open(fake).read()
  const { got } = collect(reader)
  await settle()
  scripts[0]?.say(event(1))
  await settle()
  await world.sleep(86_400_000)
  assert.equal(fake.asked.length, 1, "the connection may have lived")
  scripts[0]?.say(event(2))
  await settle()
  assert.deepEqual(got, [1, 2])
  await world.sleep(86_400_000)
  await world.pass(3000)
  await world.pass(1000)
  assert.equal(fake.asked.length, 2, "or not")
  reader.close()
})

test("a page that comes back looks at the silence: a beat that is missing replaces the connection, a late record does not", async () => {
  const scripts = [new Script(), new Script()]
  const fake = new Fake(({ signal }, index) => {
    signal.addEventListener("abort", () => scripts[index]?.cut())
    return reply(scripts[index] as Script, { "content-type": "text/event-stream", "stream-heartbeat": "10" })
  })
  const reader = open(fake).read()
  void collect(reader)
  await settle()
  scripts[0]?.say(event(1))
  await world.pass(11_000)
  world.tell("visible")
  await settle()
  assert.equal(fake.asked.length, 1)
  await world.pass(2000)
  world.tell("visible")
  await world.pass(1000)
  assert.equal(fake.asked.length, 2)
  reader.close()
})

test("an answer of 401 asks for headers again, once", async () => {
  let asked = 0
  const fake = new Fake(({ headers }) => (headers.get("authorization") === "2" ? reply(event(1) + CLOSED) : problem(401, { code: "not-authorized" })))
  const { got, done } = collect(open(fake, { headers: () => ({ authorization: String((asked += 1)) }) }))
  await done
  assert.deepEqual(got, [1])
  const refused = new Fake(() => problem(401, { code: "not-authorized" }))
  const error = (await collect(open(refused, { headers: () => ({}) })).done) as HeadwaterError
  assert.equal(error.code, "not-authorized")
  assert.equal(refused.asked.length, 2)
})

test("a newer server's events, controls and fields are passed over", async () => {
  const text = `event:stream-weather\ndata:{"rain":true}\n\nid:${at(1)}\nmood:fine\ndata:1\n\n${CLOSED}`
  const one = collect(open(new Fake(() => reply(text))))
  await one.done
  assert.deepEqual(one.got, [1])
  const lines = `{"control":"weather","offset":"${at(0)}"}\n{"offset":"${at(1)}","data":1,"mood":"fine"}\n{"control":"closed","offset":"${at(1)}"}\n`
  const two = collect(open(new Fake(() => reply(lines, NDJSON)), { transport: "ndjson" }))
  await two.done
  assert.deepEqual(two.got, [1])
})

test("a transport of another import is unsupported, with the line that imports it", async () => {
  for (const [name, line] of [["websocket", 'from "headwater/connection"'], ["eventsource", 'from "headwater/eventsource"']] as const) {
    const error = (await collect(open(new Fake(() => reply("")), { transport: name })).done) as HeadwaterError
    assert.equal(error.code, "unsupported")
    assert.ok(error.message.includes(line), error.message)
  }
  assert.throws(() => open(new Fake(() => reply(""))).signal({}), /headwater\/connection/)
})

test("close() in every state ends it, without an error and with nothing left", async () => {
  const states: Record<string, () => Fake> = {
    idle: () => new Fake(() => reply("")),
    connecting: () => new Fake(() => new Promise<Response>(() => undefined)),
    absent: () => new Fake(({ signal }) => reply(new Script(signal).say('event:stream-waiting\ndata:{}\n\n'))),
    live: () => new Fake(({ signal }) => reply(new Script(signal).say(`id:${at(1)}\n\n`))),
    waiting: () => new Fake(() => new TypeError("fetch failed")),
  }
  for (const [state, fake] of Object.entries(states)) {
    world = new World()
    const reader = open(fake()).read({ missing: "wait" })
    const { done } = state === "idle" ? { done: undefined } : collect(reader)
    await settle()
    await settle()
    assert.equal(reader.state, state)
    reader.close()
    await world.pass(0)
    assert.equal(await done, undefined)
    assert.equal((await reader.end).kind, "stopped")
    assert.equal(world.timers + world.watchers, 0, state)
  }
})

const PAGE = { "content-type": "text/plain", "stream-next-offset": at(2), "stream-up-to-date": "true", "stream-closed": "true" }
const short = (type: string, body: string, more: Record<string, string> = {}): Response =>
  Object.defineProperty(reply(body, { ...PAGE, "content-length": "9", ...more }), "type", { value: type })

for (const [origin, type] of Object.entries({ "the same origin": "basic", "another origin": "cors" })) {
  test(`a page of text that a platform gives cut as if it were whole is asked for again: ${origin}`, async () => {
    const cut = ["", "zw", "zwölf "]
    const fake = new Fake((_asked, index) => short(type, cut[index] ?? "zwölf B!"))
    const reader = open<string>(fake, { type: "text/plain" }).read({ transport: "long-poll" })
    const { got } = collect(reader)
    await world.pass(60_000)
    assert.deepEqual([got, fake.asked.length, (await reader.end).kind], [["zwölf B!"], 4, "closed"])
  })
}

test("a page that came packed may be longer than its length, or shorter", async () => {
  const fake = new Fake(() => short("basic", "zwölf", { "content-encoding": "gzip" }))
  const { got, done } = collect(open<string>(fake, { type: "text/plain" }).read({ transport: "long-poll" }))
  await world.pass(60_000)
  assert.deepEqual([got, fake.asked.length, await done], [["zwölf"], 1, undefined])
})

test("of another origin nobody sees that it came packed: the same twice is what there is", async () => {
  const fake = new Fake(() => short("cors", "zwölf"))
  const { got, done } = collect(open<string>(fake, { type: "text/plain" }).read({ transport: "long-poll" }))
  await world.pass(60_000)
  assert.deepEqual([got, fake.asked.length, await done], [["zwölf"], 2, undefined])
})
