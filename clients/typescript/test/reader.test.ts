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
