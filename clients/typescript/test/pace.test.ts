/** Rule: whatever a server, a proxy or a network does, no more than 15 requests a minute bring nothing. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { type TransportName, stream } from "../src/index.ts"
import { forget } from "../src/transports/choice.ts"
import { Fake, Script, at, problem, reply, withStatus } from "./support/server.ts"
import { World } from "./support/world.ts"

const URL_ = "http://127.0.0.1:1/v1/stream/jobs/7"
const TRANSPORTS: TransportName[] = ["sse", "ndjson", "long-poll", "live-sse", "auto"]
const MINUTES = 20

/** Requests of a reader in the worst minute. */
async function worst(transport: TransportName, reply_: ConstructorParameters<typeof Fake>[0], chance = 0.5): Promise<number> {
  forget()
  const world = new World()
  world.chance = () => chance
  const times: number[] = []
  const fake = new Fake((asked, index) => {
    times.push(world.time)
    return reply_(asked, index)
  })
  const reader = stream(URL_, { fetch: fake.fetch, environment: world, transport }).read()
  const done = (async () => {
    for await (const _record of reader) void 0
  })().catch(() => undefined)
  await world.pass(MINUTES * 60_000)
  reader.close()
  await world.pass(0)
  await done
  assert.equal(world.timers + world.watchers, 0, "nothing is left behind")
  return Math.max(...times.map((time, index) => times.slice(index).filter((each) => each < time + 60_000).length))
}

const statuses = Array.from({ length: 400 }, (_each, index) => 200 + index)

for (const transport of TRANSPORTS) {
  test(`${transport}: every status from 200 to 599`, async () => {
    for (const status of statuses) {
      const fake = (): Response => withStatus(new Response(null, { headers: { "content-type": "text/html" } }), status)
      const requests = await worst(transport, fake)
      assert.ok(requests <= 15, `${status}: ${requests} requests in a minute`)
    }
  })

  const ends: Record<string, ConstructorParameters<typeof Fake>[0]> = {
    "nobody answers": () => new TypeError("fetch failed"),
    "it hangs up behind the head": () => reply(""),
    "it answers in the wrong type": () => reply("<p>Sign in", { "content-type": "text/html" }),
    "a server of the protocol alone, which is at its tail": () =>
      new Response("[]", { headers: { "content-type": "application/json", "stream-next-offset": at(1), "stream-up-to-date": "true" } }),
    "a long-poll that is over at once": () =>
      new Response(null, { status: 204, headers: { "stream-next-offset": at(1), "stream-up-to-date": "true" } }),
    "it lets everybody go at once": () => reply(`event:stream-detached\nid:${at(1)}\ndata:{"offset":"${at(1)}","retry_after":0}\n\n`),
    "it says nothing": ({ signal }) => reply(new Script(signal)),
    "it lives for a moment, and ends as planned": () => reply(`event:control\ndata:{"streamNextOffset":"${at(1)}","upToDate":true}\n\n`),
    "the same record again and again": () => reply(`id:${at(1)}\ndata:1\n\n`),
    "its control cannot be read": () => reply("event:stream-closed\ndata:{\n\nevent:control\ndata:{\n\n"),
    "it comes and goes": () => problem(503, { code: "unavailable" }, { "retry-after": "0" }),
  }
  for (const [name, answer] of Object.entries(ends)) {
    test(`${transport}: ${name}`, async () => {
      // Chance that gives no wait at all is the worst.
      for (const chance of [0, 0.5, 0.999]) {
        const requests = await worst(transport, answer, chance)
        assert.ok(requests <= 15, `${requests} requests in a minute, by chance of ${chance}`)
      }
    })
  }
}
