/** The transport for the chats of the AI SDK: one stream of chunks, whatever happens to connections. */

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { beforeEach, test } from "node:test"
import { type Chunk, type ChatTransportOptions, HeadwaterChatTransport } from "../src/ai.ts"
import type { HeadwaterError } from "../src/index.ts"
import { type Asked, Fake, Script, problem, reply } from "./support/server.ts"
import { World, settle } from "./support/world.ts"

/** As `headwater.llm.Chat` tells a run of text, thinking, calls, files, sources and data. */
const ANSWER = readFileSync(new URL("support/chat-answer.sse", import.meta.url))
const TEXT = ANSWER.toString()
const SSE = { "content-type": "text/event-stream", "headwater-run": "run-1", "stream-heartbeat": "15" }
const API = "http://127.0.0.1:1/api/chat"
const CHUNKS: Chunk[] = [...TEXT.matchAll(/^data: (\{.*)$/gm)].map((match) => JSON.parse(match[1] as string))
const PROBE = 'id: 1\ndata: {"type":"start","messageId":"m"}\n\n'
const FAILED = 'data: {"type":"error","errorText":"connect again"}\n\ndata: [DONE]\n\n'
const FIRST = "0000000000000005_0000000000000181"

/** What the server tells behind an id. */
const behind = (id: string): string => TEXT.slice(TEXT.indexOf("\n\n", TEXT.indexOf(`id: ${id}\n`)) + 2)

/** A body that comes to an end, or is torn off. */
function bytes(data: Uint8Array, torn: boolean): ReadableStream<Uint8Array> {
  let told = false
  return new ReadableStream({
    pull(controller) {
      if (!told && data.length) {
        told = true
        controller.enqueue(data)
      } else if (torn) controller.error(new TypeError("terminated"))
      else controller.close()
    },
  })
}

let world: World
beforeEach(() => void (world = new World()))

const transport = (fake: Fake, options: ChatTransportOptions = {}): HeadwaterChatTransport =>
  new HeadwaterChatTransport({ api: API, fetch: fake.fetch, environment: world, ...options })

const question = (more: object = {}) => ({
  trigger: "submit-message" as const,
  chatId: "chat/1",
  messageId: undefined,
  messages: [{ id: "m1", role: "user", parts: [] }],
  abortSignal: undefined as AbortSignal | undefined,
  ...more,
})

interface Read {
  chunks: Chunk[]
  error?: HeadwaterError
  isOver: boolean
}

/** Reads in the background to the end. */
function reading(asked: Promise<ReadableStream<Chunk> | null>): Read {
  const read: Read = { chunks: [], isOver: false }
  const run = async (): Promise<void> => {
    for await (const chunk of (await asked) ?? []) read.chunks.push(chunk)
  }
  void run()
    .catch((error: HeadwaterError) => void (read.error = error))
    .finally(() => void (read.isOver = true))
  return read
}

async function ended(read: Read): Promise<Read> {
  for (let round = 0; !read.isOver && round < 500; round += 1) await world.pass(1000)
  assert.ok(read.isOver, "it goes on")
  assert.equal(world.watchers + world.timers, 0)
  return read
}

const offsetOf = ({ url }: Pick<Asked, "url">): string => url.searchParams.get("offset") ?? ""
const routes = (fake: Fake): string[] => fake.asked.map(({ method, url }) => `${method} ${url.pathname}`)

for (const torn of [true, false]) {
  test(`cut at every byte, ${torn ? "torn" : "ended"}: one answer, each chunk once`, async () => {
    world.chance = () => 0
    for (let cut = 0; cut < ANSWER.length; cut += 1) {
      const fake = new Fake((asked, index) =>
        index ? reply(offsetOf(asked) ? behind(offsetOf(asked)) : TEXT, SSE) : new Response(bytes(ANSWER.subarray(0, cut), torn), { headers: SSE }),
      )
      const read = reading(transport(fake).sendMessages(question()))
      while (!read.isOver) await world.pass(0)
      assert.equal(read.error, undefined, `at ${cut}`)
      assert.deepEqual(read.chunks, CHUNKS, `at ${cut}`)
      for (const { url } of fake.asked.slice(1)) assert.equal(url.searchParams.get("run"), "run-1")
      const again = "GET /api/chat/chat%2F1/stream"
      // Without the blank line behind it [DONE] was not told.
      assert.deepEqual(routes(fake), ["POST /api/chat", ...(cut < ANSWER.length ? [again] : [])], `at ${cut}`)
    }
  })
}

test("what is asked is what the SDK's own transport asks, with headers and body of this moment", async () => {
  let token = 0
  const fake = new Fake((_asked, index) => reply(index ? behind(FIRST) : TEXT.slice(0, 150), SSE))
  const headers = (): HeadersInit => ({ authorization: `Bearer ${(token += 1)}` })
  const chat = transport(fake, { headers, body: () => ({ model: "small" }) })
  const read = await ended(reading(chat.sendMessages(question({ body: { more: 1 }, headers: { "x-one": "1" } }))))
  assert.deepEqual(read.chunks, CHUNKS)
  const [first, second] = fake.asked
  assert.deepEqual(JSON.parse(new TextDecoder().decode(first?.body)), {
    model: "small",
    more: 1,
    id: "chat/1",
    messages: [{ id: "m1", role: "user", parts: [] }],
    trigger: "submit-message",
  })
  assert.equal(first?.url.href, `${API}?dialect=ai-sdk`)
  assert.equal(first?.headers.get("idempotency-key"), null)
  assert.deepEqual([first, second].map((each) => each?.headers.get("authorization")), ["Bearer 1", "Bearer 2"])
  assert.deepEqual([first, second].map((each) => each?.headers.get("x-one")), ["1", "1"])
})

test("a question whose answer was lost is sent again as the same one", async () => {
  const fake = new Fake((_asked, index) => (index ? reply(TEXT, SSE) : new TypeError("reset")))
  const read = await ended(reading(transport(fake).sendMessages(question({ trigger: "regenerate-message" }))))
  assert.deepEqual(read.chunks, CHUNKS)
  const [one, two] = fake.asked.map(({ headers }) => headers.get("idempotency-key"))
  assert.match(one ?? "", /^[0-9a-f]{32}$/)
  assert.equal(one, two)
})

test("a message that goes on is asked for again by who has its earlier parts", async () => {
  const fake = new Fake((_asked, index) => reply(index ? TEXT : "", SSE))
  await ended(reading(transport(fake).sendMessages(question({ messages: [{ id: "a1", role: "assistant", parts: [] }] }))))
  assert.deepEqual(routes(fake), ["POST /api/chat", "POST /api/chat"])
})

test("503 is waited out, as long as it asks", async () => {
  const fake = new Fake((_asked, index) => (index ? reply(TEXT, SSE) : problem(503, {}, { "retry-after": "7" })), () => world.time)
  const read = await ended(reading(transport(fake).sendMessages(question())))
  assert.deepEqual(read.chunks, CHUNKS)
  assert.ok((fake.asked[1]?.at ?? 0) >= 7000)
})

test("a refusal is told at once, in the server's words", async () => {
  const fake = new Fake(() => new Response("sign in first", { status: 403, headers: { "content-type": "text/plain" } }))
  const { error } = await ended(reading(transport(fake).sendMessages(question())))
  assert.match(error?.message ?? "", /sign in first/)
  assert.equal(fake.asked.length, 1)
})

test("a run that is gone in the middle is an error, never an end", async () => {
  const fake = new Fake((_asked, index) => (index ? problem(404, { code: "run-not-found" }) : reply(PROBE, SSE)))
  const { chunks, error } = await ended(reading(transport(fake).sendMessages(question())))
  assert.equal(chunks.length, 1)
  assert.equal(error?.code, "run-not-found")
})

for (const [what, tail] of Object.entries({ "just ends": "", "says [DONE] and not how": "data: [DONE]\n\n" })) {
  test(`an answer that ${what}, again and again, is an error in the end`, async () => {
    const fake = new Fake((asked) => reply((offsetOf(asked) ? "" : PROBE) + tail, SSE), () => world.time)
    const { chunks, error } = await ended(reading(transport(fake).sendMessages(question())))
    assert.equal(chunks.length, 1)
    assert.equal(error?.code, "truncated")
    assert.ok(world.time > 60_000 && fake.asked.length > 5)
    assert.ok(fake.asked.filter(({ at }) => at < 60_000).length <= 15)
  })
}

test("a connection that says nothing any more is left, and taken up", async () => {
  const silent = new Script()
  const fake = new Fake((_asked, index) => reply(index ? behind(FIRST) : silent, SSE))
  const read = reading(transport(fake).sendMessages(question()))
  await settle()
  silent.say(TEXT.slice(0, 150))
  await ended(read)
  assert.deepEqual(read.chunks, CHUNKS)
  assert.ok(silent.cancelled)
  assert.ok(world.time >= 37_500)
})

test("a server that lets its connections go has not failed the run", async () => {
  const fake = new Fake((asked) => {
    if (asked.method === "GET" && !asked.url.pathname.endsWith("/stream")) return Response.json({ run: "run-1", state: "running" })
    return offsetOf(asked) ? reply('data: {"type":"finish"}\n\ndata: [DONE]\n\n', SSE) : reply(PROBE + FAILED, SSE)
  })
  const { chunks, error } = await ended(reading(transport(fake).sendMessages(question())))
  assert.equal(error, undefined)
  assert.deepEqual(chunks.map(({ type }) => type), ["start", "finish"])
})

test("a run that failed is told as the SDK tells it", async () => {
  const fake = new Fake(({ method }) => (method === "POST" ? reply(PROBE + FAILED, SSE) : Response.json({ run: "run-1", state: "lost" })))
  const { chunks, error } = await ended(reading(transport(fake).sendMessages(question())))
  assert.equal(error, undefined)
  assert.deepEqual(chunks.map(({ type }) => type), ["start", "error"])
})

test("to leave is an AbortError, and stops nothing", async () => {
  const script = new Script()
  const fake = new Fake(() => reply(script, SSE))
  const aborter = new AbortController()
  const read = reading(transport(fake).sendMessages(question({ abortSignal: aborter.signal })))
  await settle()
  script.say(PROBE)
  await settle()
  aborter.abort()
  await ended(read)
  assert.equal(read.error?.name, "AbortError")
  assert.equal(read.chunks.length, 1)
  assert.ok(script.cancelled)
  assert.equal(fake.asked.length, 1)
})

test("who leaves while it waits waits no longer", async () => {
  const fake = new Fake(() => problem(503, {}, { "retry-after": "60" }))
  const aborter = new AbortController()
  const read = reading(transport(fake).sendMessages(question({ abortSignal: aborter.signal })))
  for (let turn = 0; turn < 5; turn += 1) await settle()
  aborter.abort()
  for (let turn = 0; turn < 5; turn += 1) await settle()
  assert.equal(read.error?.name, "AbortError")
  assert.equal(world.timers + world.watchers, 0)
})

test("a stream that is cancelled leaves nothing behind, read or not", async () => {
  for (const isRead of [true, false]) {
    const script = new Script()
    const stream = await transport(new Fake(() => reply(script, SSE))).sendMessages(question())
    script.say(PROBE)
    if (isRead) {
      const reader = stream.getReader()
      await reader.read()
      reader.releaseLock()
    }
    await stream.cancel()
    await settle()
    assert.ok(script.cancelled || !isRead)
    assert.equal(world.timers + world.watchers, 0)
  }
})

test("the network is back: the answer goes on at once", async () => {
  const fake = new Fake((_asked, index) => (index ? reply(TEXT, SSE) : problem(503, {}, { "retry-after": "60" })))
  const read = reading(transport(fake).sendMessages(question()))
  for (let turn = 0; turn < 5; turn += 1) await settle()
  world.tell("online")
  await ended(read)
  assert.deepEqual(read.chunks, CHUNKS)
  assert.ok(world.time < 5000)
})

test("stop is a request of its own, sent until it is answered", async () => {
  const stopped = { run: "run-1", state: "stopped", message: "", stopped: ["run-1"] }
  const fake = new Fake((_asked, index) => (index ? Response.json(stopped) : new TypeError("reset")))
  const done = transport(fake).stop("chat/1")
  await world.pass(5000)
  assert.deepEqual(await done, stopped)
  assert.deepEqual(routes(fake), Array(2).fill("POST /api/chat/chat%2F1/stop"))
})

test("a chat without a run has no state, and nothing to stop or to come back to", async () => {
  const chat = transport(new Fake(({ url }) => (url.pathname.endsWith("/stream") ? reply(null, {}, 204) : problem(404, {}))))
  assert.equal(await chat.state("c"), null)
  assert.equal(await chat.stop("c"), null)
  assert.equal(await chat.reconnectToStream({ chatId: "c" }), null)
})

test("who comes back is told the whole answer, through cuts too", async () => {
  const fake = new Fake((asked, index) => reply(index ? behind(offsetOf(asked)) : TEXT.slice(0, 400), SSE))
  const chat = transport(fake)
  const read = await ended(reading(chat.reconnectToStream({ chatId: "chat/1" })))
  assert.deepEqual(read.chunks, CHUNKS)
  assert.equal(chat.resumeStreamIsReplay, true)
  assert.equal(fake.asked.length, 2)
})

test("a login page is no answer", async () => {
  const fake = new Fake(() => reply("<html>", { "content-type": "text/html" }))
  const { error } = await ended(reading(transport(fake).sendMessages(question())))
  assert.equal(error?.code, "bad-answer")
  assert.equal(fake.asked.length, 3)
})
