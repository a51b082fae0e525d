/** Hooks, in React itself; the network and the clock are the test's. */

import assert from "node:assert/strict"
import { readFileSync, readdirSync } from "node:fs"
import { test } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Activity, type ReactNode, createElement, startTransition, useLayoutEffect, useState } from "react"
import { renderToString } from "react-dom/server"
import { root } from "../scripts/sizes.ts"
import { type Connection, connect } from "../src/connection.ts"
import { type Stream, stream } from "../src/index.ts"
import { type StreamView, type UseStreamOptions, useConnection, useConnectionState, usePresence, useStream } from "../src/react.ts"
import { LISTED, type Page, Server, ServerSocket } from "./support/browser.ts"
import { Screen } from "./support/react.ts"
import { type Asked, Fake, type Reply, SSE, Script, at, event, problem, reply } from "./support/server.ts"
import { World, settle } from "./support/world.ts"

const URL_A = "https://example.org/v1/stream/a"
const URL_B = "https://example.org/v1/stream/b"
const FRAME = 17

/** A screen with one component that reads, and what it has shown, render by render. */
class Site<V = undefined> {
  readonly world = new World()
  readonly screen = new Screen(this.world)
  readonly scripts: Script[] = []
  readonly views: StreamView<unknown, V>[] = []
  readonly fake: Fake
  readonly #Reads: (props: { of: Parameters<typeof useStream>[0]; options: UseStreamOptions<unknown, V> }) => ReactNode

  constructor(answer?: (asked: Asked, index: number) => Reply) {
    this.fake = new Fake((asked, index) => {
      if (answer) return answer(asked, index)
      const script = new Script(asked.signal)
      this.scripts.push(script)
      return reply(script)
    }, this.world.now)
    this.#Reads = ({ of, options }) => {
      this.views.push(useStream<unknown, V>(of, { environment: this.world, fetch: this.fake.fetch, ...options }))
      return null
    }
  }

  get view(): StreamView<unknown, V> {
    return this.views.at(-1) ?? assert.fail("nothing was shown")
  }

  get values(): unknown[] {
    return this.view.records.map(({ data }) => data)
  }

  script(index = 0): Script {
    return this.scripts[index] ?? assert.fail(`no request ${index}`)
  }

  element(of: Parameters<typeof useStream>[0], options: UseStreamOptions<unknown, V> = {}): ReactNode {
    return createElement(this.#Reads, { of, options })
  }

  show(of: Parameters<typeof useStream>[0], options: UseStreamOptions<unknown, V> = {}, isStrict = false): Promise<void> {
    return this.screen.show(this.element(of, options), { isStrict })
  }

  /** What comes, and the frame in which it is shown. */
  async say(text: string, index = 0): Promise<void> {
    this.script(index).say(text)
    await this.screen.pass(FRAME)
  }

  async leave(): Promise<void> {
    await this.screen.unmount()
    assert.deepEqual([this.world.timers, this.world.watchers], [0, 0], "nothing is left behind")
    for (const script of this.scripts) assert.ok(script.cancelled, "its requests are ended")
  }
}

test("a component shows history, then what comes, and where it stands", async () => {
  const site = new Site()
  await site.show(URL_A)
  assert.deepEqual([site.views[0]?.records, site.views[0]?.state, site.views[0]?.offset], [[], "idle", "start"])
  await site.say(event(1) + event(2))
  assert.deepEqual(site.values, [1, 2])
  assert.equal(site.view.offset, at(2))
  await site.say(event(3))
  assert.deepEqual(site.values, [1, 2, 3])
  assert.deepEqual([site.view.error, site.view.end], [null, null])
  const before = site.view
  await site.screen.pass(FRAME)
  assert.equal(site.view, before, "what has not changed is the same object")
  await site.leave()
})

test("a stream that is closed, and one that failed", async () => {
  for (const [control, kind, code] of [
    ["stream-closed", "closed", undefined],
    ["stream-failed", "failed", "stream-failed"],
  ]) {
    const site = new Site()
    await site.show(URL_A)
    await site.say(`${event(1)}event:${control}\ndata:{"offset":"${at(1)}","code":"lost","message":"no more"}\n\n`)
    await site.screen.pass(FRAME)
    assert.deepEqual(site.values, [1])
    assert.deepEqual([site.view.state, site.view.end?.kind, site.view.error?.code], ["ended", kind, code])
    await site.screen.unmount()
    assert.equal(site.fake.asked.length, 1)
  }
})

test("a thousand records a second are shown at most sixty times, and all of them", async () => {
  const site = new Site<number>()
  await site.show(URL_A, { reduce: (sum = 0, { data }) => sum + (data as number) })
  await site.say(event(0))
  const before = site.views.length
  for (let n = 1; n <= 1000; n += 1) {
    site.script().say(event(n))
    await site.screen.pass(1)
  }
  const renders = site.views.length - before
  assert.ok(renders <= 60 && renders > 40, `${renders} renders`)
  await site.screen.pass(FRAME)
  assert.deepEqual(site.values, Array.from({ length: 1000 }, (_, n) => n + 1), "the newest thousand")
  assert.equal(site.view.value, 500_500)
  await site.leave()
})

test("frames of a fast screen, and of one that draws nothing", async (context) => {
  const site = new Site()
  const drawn = new Map<number, (now: number) => void>()
  let last = 0
  Object.assign(globalThis, {
    requestAnimationFrame: (call: (now: number) => void) => (drawn.set((last += 1), call), last),
    cancelAnimationFrame: (id: number) => drawn.delete(id),
  })
  context.after(() => {
    Reflect.deleteProperty(globalThis, "requestAnimationFrame")
    Reflect.deleteProperty(globalThis, "cancelAnimationFrame")
  })
  await site.show(URL_A)
  const before = site.views.length
  for (let frame = 0; frame < 120; frame += 1) {
    site.script().say(event(frame))
    await site.screen.pass(8)
    const calls = [...drawn.values()]
    drawn.clear()
    await site.screen.run(() => calls.forEach((call) => call((frame * 1000) / 120)))
  }
  assert.ok(site.views.length - before <= 61, `${site.views.length - before} renders`)
  site.script().say(event(120))
  await site.screen.pass(250)
  assert.equal(site.values.at(-1), 120, "shown without a frame")
  site.script().say(event(121))
  await site.screen.pass(0)
  await site.leave()
  assert.equal(drawn.size, 0, "no frame is asked for any more")
})

test("the list is bounded, also while no frame comes", async () => {
  for (const [limit, expected] of [
    [3, [7, 8, 9]],
    [0, []],
    [Infinity, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ] as const) {
    const site = new Site<number>()
    await site.show(URL_A, { limit, reduce: (count = 0) => count + 1 })
    for (let n = 0; n < 10; n += 1) site.script().say(event(n))
    await site.screen.pass(FRAME)
    assert.deepEqual(site.values, expected)
    assert.deepEqual([site.view.value, site.view.offset], [10, at(9)])
    await site.leave()
  }
})

test("what is no longer in the list is not kept either, while no frame comes", async () => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  const made: WeakRef<object>[] = []
  const decode = (): object => {
    const value = {}
    made.push(new WeakRef(value))
    return value
  }
  const site = new Site()
  await site.show(URL_A, { limit: 3, decode })
  for (let n = 0; n < 200; n += 1) {
    site.script().say(event(n))
    await site.screen.pass(0)
  }
  collect()
  const kept = made.filter((each) => each.deref()).length
  assert.equal(made.length, 200)
  assert.ok(kept <= 10, `${kept} are kept`)
  await site.leave()
})

test("StrictMode mounts twice and asks once", async () => {
  const site = new Site()
  await site.show(URL_A, {}, true)
  assert.equal(site.fake.asked.length, 1)
  await site.say(event(1))
  assert.deepEqual(site.values, [1])
  await site.leave()
  assert.equal(site.fake.asked.length, 1)
})

test("another url ends the former reader, and shows nothing of it", async () => {
  const site = new Site()
  await site.show(URL_A)
  await site.say(event(1, "of a"))
  const before = site.views.length
  await site.show(URL_B)
  assert.ok(site.script(0).cancelled)
  assert.equal(site.fake.asked[1]?.url.pathname, "/v1/stream/b")
  assert.ok(site.views.slice(before).every(({ records }) => records.length === 0))
  await site.say(event(1, "of b"), 1)
  assert.deepEqual(site.values, ["of b"])
  await site.show(URL_B, { from: at(5) })
  assert.equal(site.fake.asked[2]?.url.searchParams.get("offset"), at(5))
  await site.show(null)
  assert.deepEqual([site.values, site.view.state], [[], "idle"])
  await assert.rejects(site.view.append(1), { code: "bad-request" })
  await site.leave()
})

test("what is not enabled reads nothing, keeps what it has, and goes on behind it", async () => {
  const site = new Site()
  await site.show(URL_A, { enabled: false })
  assert.equal(site.fake.asked.length, 0)
  await site.show(URL_A, { last: 2 })
  await site.say(event(7))
  await site.show(URL_A, { enabled: false, last: 2 })
  assert.ok(site.script().cancelled)
  await site.show(URL_A, { last: 2 })
  assert.deepEqual(site.values, [7])
  assert.equal(site.fake.asked[2 - 1]?.url.searchParams.get("offset"), at(7))
  await site.say(event(7) + event(8), 1)
  assert.deepEqual(site.values, [7, 8])
  await site.leave()
})

test("records that come while a component leaves and comes back are shown once", async () => {
  for (let turns = 0; turns < 12; turns += 1) {
    const site = new Site()
    await site.show(URL_A)
    await site.say(event(1))
    site.script().say(event(2))
    await site.screen.run(async () => {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    }, 0)
    await site.show(URL_A, { enabled: false })
    await site.show(URL_A)
    const from = Number(site.fake.asked[1]?.url.searchParams.get("offset")?.split("_")[1])
    for (let n = from + 1; n <= 3; n += 1) site.script(1).say(event(n))
    await site.screen.pass(FRAME)
    assert.deepEqual(site.values, [1, 2, 3], `after ${turns} turns`)
    await site.leave()
  }
})

test("a component that is hidden reads nothing, and goes on when it is seen again", async () => {
  const site = new Site()
  const inside = (mode: "hidden" | "visible"): ReactNode => createElement(Activity, { mode, children: site.element(URL_A) })
  await site.screen.show(inside("visible"), { isStrict: true })
  await site.say(event(1))
  await site.screen.show(inside("hidden"), { isStrict: true })
  assert.ok(site.script().cancelled)
  await site.screen.show(inside("visible"), { isStrict: true })
  assert.equal(site.fake.asked[1]?.url.searchParams.get("offset"), at(1))
  await site.say(event(2), 1)
  assert.deepEqual(site.values, [1, 2])
  await site.leave()
})

test("a handle that is made again in each render is the same stream", async () => {
  const site = new Site()
  const handle = (): Stream => stream(URL_A, { environment: site.world, fetch: site.fake.fetch })
  await site.show(handle())
  await site.say(event(1))
  await site.show(handle())
  await site.show(new URL(URL_A))
  await site.show(new URL(URL_A))
  assert.equal(site.fake.asked.length, 2, "one by the handle, one by the URL")
  await site.leave()
})

test("headers are those of the last render", async () => {
  const site = new Site()
  await site.show(URL_A, { headers: { authorization: "first" } })
  await site.show(URL_A, { headers: { authorization: "second" } })
  assert.equal(site.fake.asked.length, 1)
  site.view.reconnect()
  await site.screen.pass(FRAME)
  assert.deepEqual(site.fake.asked.map(({ headers }) => headers.get("authorization")), ["first", "second"])
  await site.leave()
})

test("an error is given, not thrown, and reading goes on when it is told to", async () => {
  const site = new Site((_, index) => (index ? new Response(event(1), { headers: SSE }) : problem(403, { code: "refused", detail: "not you" })))
  await site.show(URL_A)
  await site.screen.pass(FRAME)
  assert.deepEqual([site.view.state, site.view.end?.kind, site.view.error?.code], ["ended", "error", "refused"])
  await site.screen.pass(60_000)
  assert.equal(site.fake.asked.length, 1, "and nothing is tried behind its back")
  site.view.reconnect()
  await site.screen.pass(FRAME)
  assert.deepEqual([site.values, site.view.error, site.view.end], [[1], null, null])
  await site.leave()
})

test("what passes is a state and no error", async () => {
  const site = new Site(() => problem(503, {}))
  await site.show(URL_A)
  await site.screen.pass(FRAME)
  assert.deepEqual([site.view.state, site.view.error], ["waiting", null])
  await site.leave()
})

test("faults of the application are given too", async () => {
  for (const [of, options, code] of [
    ["https://", {}, "bad-request"],
    [URL_A, { transport: "websocket" }, "unsupported"],
    [URL_A, { decode: () => assert.fail("no") }, "bad-record"],
    [URL_A, { reduce: () => assert.fail("no") }, "bad-record"],
  ] as const) {
    const site = new Site<never>(() => new Response(event(1), { headers: SSE }))
    await site.show(of, options as UseStreamOptions<unknown, never>)
    await site.screen.pass(FRAME)
    assert.deepEqual([site.view.state, site.view.error?.code], ["ended", code])
    await site.leave()
  }
})

test("a read that is not live ends at the tail", async () => {
  const headers = { "content-type": "application/json", "stream-next-offset": at(1), "stream-up-to-date": "true" }
  const site = new Site(() => new Response("[1]", { headers }))
  await site.show(URL_A, { live: false, transport: "long-poll" })
  await site.screen.pass(FRAME)
  await site.screen.pass(FRAME)
  assert.deepEqual([site.values, site.view.end?.kind, site.view.error], [[1], "up-to-date", null])
  await site.leave()
})

test("a component appends, once, also when it is rendered again", async () => {
  const site = new Site(({ method, signal }) =>
    method === "POST" ? new Response(null, { status: 204, headers: { "stream-next-offset": at(1) } }) : reply(new Script(signal)),
  )
  await site.show(URL_A, { type: "application/json" })
  const { append } = site.view
  const appended = append({ text: "hi" })
  await site.screen.pass(FRAME)
  assert.equal(await appended, at(1))
  await site.show(URL_A, { type: "application/json" })
  assert.equal(site.view.append, append)
  const posts = site.fake.asked.filter(({ method }) => method === "POST")
  assert.deepEqual(posts.map(({ body }) => new TextDecoder().decode(body)), ['[{"text":"hi"}]'])
  await site.leave()
})

// A connection

/** A screen whose connections end at a server of the test. */
class House {
  readonly world = new World()
  readonly screen = new Screen(this.world)
  readonly server = new Server()
  readonly tokens: unknown[] = []
  readonly options = {
    environment: this.world,
    socket: () => new ServerSocket(this.server, { later: (call: () => void) => void setImmediate(call) } as Page),
    fetch: async () => new Response(null, { status: 426 }),
  }
  seen: Connection | undefined
  state: string | undefined

  /** A component that reads a stream of a connection. */
  Room = ({ path, name, token, log }: { path: string; name?: string; token?: string; log?: unknown[] }): ReactNode => {
    const connection = useConnection("https://example.org/v1/stream/", { ...this.options, ...(name && { key: name }), ...(token && { token }) })
    const { records } = useStream(connection.stream(path))
    this.seen = connection
    this.state = useConnectionState(connection)
    log?.splice(0, Infinity, ...records.map(({ data }) => data))
    return null
  }

  room = (path: string, more: { name?: string; token?: string; log?: unknown[] } = {}): ReactNode => createElement(this.Room, { key: path, path, ...more })

  /** Time passes, and the server says that it is there. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      await this.screen.pass(Math.min(500, left))
      for (const socket of this.server.open) socket.ping()
    }
  }

  async leave(): Promise<void> {
    await this.screen.unmount()
    await this.pass(1000)
    assert.deepEqual([this.world.timers, this.world.watchers, this.server.open.length], [0, 0, 0], "nothing is left behind")
  }
}

test("components that ask for the same url have one connection, under StrictMode too", async () => {
  const house = new House()
  house.server.append("a", 1)
  house.server.append("b", 2)
  const a: unknown[] = []
  const b: unknown[] = []
  await house.screen.show([house.room("a", { log: a }), house.room("b", { log: b })], { isStrict: true })
  await house.pass(FRAME)
  assert.deepEqual([a, b, house.server.sockets.length, house.state], [[1], [2], 1, "live"])
  await house.screen.show([house.room("b", { log: b })], { isStrict: true })
  await house.pass(2000)
  assert.equal(house.server.open.length, 1, "one of them is still there")
  await house.screen.show(null, { isStrict: true })
  await house.pass(500)
  await house.screen.show(house.room("a", { log: a }), { isStrict: true })
  await house.pass(2000)
  assert.equal(house.server.sockets.length, 1, "who comes within a second finds it")
  const { seen } = house
  await house.leave()
  assert.equal(seen?.state, "closed")
})

test("another token is shown by the next socket, and replaces none; another key is another connection", async () => {
  const house = new House()
  house.server.append("a", 1)
  await house.screen.show(house.room("a", { token: "first" }))
  await house.screen.show(house.room("a", { token: "second" }))
  assert.equal(house.server.sockets.length, 1)
  house.seen?.reconnect()
  await house.pass(FRAME)
  await house.pass(3000)
  const hellos = house.server.sockets.map(({ said }) => said[0]?.token)
  assert.deepEqual(hellos, ["first", "second"])
  const ada = house.seen
  await house.screen.show(house.room("a", { token: "third", name: "bob" }))
  await house.pass(1000)
  assert.notEqual(house.seen, ada)
  assert.equal(ada?.state, "closed")
  assert.deepEqual(house.server.open.map(({ said }) => said[0]?.token), ["third"])
  await house.leave()
})

test("behind a sign-out nothing of it goes on, and who comes later has another connection", async () => {
  const house = new House()
  house.server.append("a", 1)
  await house.screen.show(house.room("a"))
  await house.pass(FRAME)
  const { seen } = house
  await house.screen.run(() => seen?.signOut())
  await house.pass(10_000)
  assert.deepEqual([house.state, house.seen === seen, house.server.sockets.length, house.server.open.length], ["closed", true, 1, 0])
  await house.screen.show(null)
  await house.screen.show(house.room("a"))
  await house.pass(FRAME)
  assert.deepEqual([house.state, house.seen === seen], ["live", false])
  await house.leave()
})

// Who is there

class Lobby extends House {
  seenMembers: readonly unknown[] = []
  seenCount = 0
  renders = 0
  set: ((state: unknown) => void) | undefined

  Who = ({ state, looks }: { state?: unknown; looks?: boolean }): ReactNode => {
    const connection = useConnection("https://example.org/v1/stream/", this.options)
    const { members, count, set } = usePresence(connection.stream("a"), state)
    if (looks) {
      this.seenMembers = members
      this.seenCount = count
      this.renders += 1
    } else this.set = set
    return null
  }

  who = (props: { state?: unknown; looks?: boolean }): ReactNode => createElement(this.Who, { key: String(props.looks), ...props })

  get said(): unknown[] {
    return this.server.sockets.flatMap(({ said }) => said).filter(({ t }) => t === "here").map(({ state }) => state)
  }
}

test("members are shown, a state is said once, and the member leaves with the component", async () => {
  const lobby = new Lobby()
  lobby.server.append("a", 1)
  await lobby.screen.show([lobby.who({ state: { typing: false } }), lobby.who({ looks: true })], { isStrict: true })
  await lobby.pass(FRAME)
  assert.deepEqual(lobby.seenMembers, [{ id: "me", state: { typing: false } }])
  assert.deepEqual(lobby.said, [{ typing: false }])
  await lobby.screen.show([lobby.who({ state: { typing: false } }), lobby.who({ looks: true })], { isStrict: true })
  assert.deepEqual(lobby.said, [{ typing: false }], "an equal one is not said again")
  await lobby.screen.show([lobby.who({ state: { typing: true } }), lobby.who({ looks: true })], { isStrict: true })
  lobby.set?.({ typing: "much" })
  await lobby.pass(FRAME)
  await lobby.pass(FRAME)
  assert.deepEqual(lobby.seenMembers, [{ id: "me", state: { typing: "much" } }])
  await lobby.screen.show([lobby.who({ looks: true })], { isStrict: true })
  await lobby.pass(FRAME)
  assert.deepEqual(lobby.seenMembers, [], "it looks on")
  assert.deepEqual(lobby.said, [{ typing: false }, { typing: true }, { typing: "much" }, null])
  await lobby.leave()
})

test("above 500 members the count is shown and no list, and one of them is not rendered for each that comes", async () => {
  const lobby = new Lobby()
  const { crowd } = lobby.server
  lobby.server.append("a", 1)
  const join = (count: number): void => {
    for (let n = 0; n < count; n += 1) {
      crowd.push({ id: `guest-${crowd.length}`, state: { typing: false } })
      for (const socket of lobby.server.open) socket.tellMembers("a")
    }
  }
  await lobby.screen.show([lobby.who({ state: "me" }), lobby.who({ looks: true })])
  await lobby.pass(FRAME)
  join(LISTED - 1)
  await lobby.pass(FRAME)
  assert.deepEqual([lobby.seenCount, lobby.seenMembers.length], [500, 500])
  lobby.renders = 0
  join(1000)
  await lobby.pass(FRAME)
  assert.deepEqual([lobby.seenCount, lobby.seenMembers], [1500, []])
  assert.ok(lobby.renders <= 2, `${lobby.renders} renders of 1,000 members that come at once`)
  crowd.splice(LISTED - 1)
  for (const socket of lobby.server.open) socket.tellMembers("a")
  await lobby.pass(FRAME)
  assert.deepEqual([lobby.seenCount, lobby.seenMembers.length], [500, 500], "the list is there again")
  await lobby.leave()
})

test("who is there is shown at once where others of the page know it", async () => {
  const house = new House()
  house.server.append("a", 1)
  const connection = connect("https://example.org/v1/stream/", house.options)
  const presence = connection.stream("a").presence({ from: "elsewhere" })
  await house.pass(FRAME)
  let seen: readonly unknown[] = []
  const Who = (): ReactNode => {
    seen = usePresence(connection.stream("a")).members
    return null
  }
  await house.screen.show(createElement(Who))
  await house.pass(FRAME)
  assert.deepEqual(seen, [{ id: "me", state: { from: "elsewhere" } }])
  presence.leave()
  await house.screen.unmount()
  connection.close()
  await house.leave()
})

test("presence of a stream that is not a connection's is an error that is given", async () => {
  const world = new World()
  const screen = new Screen(world)
  const codes: unknown[] = []
  const plain = stream(URL_A, { environment: world })
  const Who = (): ReactNode => {
    codes.push(usePresence(plain).error?.code)
    return null
  }
  await screen.show(createElement(Who))
  await screen.pass(FRAME)
  assert.equal(codes.at(-1), "unsupported")
  await screen.unmount()
  assert.equal(world.timers, 0)
})

test("what is rendered together shows the same, however long rendering takes", async () => {
  const lobby = new Lobby()
  lobby.server.append("a", 1)
  const MANY = 60
  const commits: unknown[][] = []
  let shown: unknown[] = []
  let reveal: ((isOn: boolean) => void) | undefined
  let rendered = 0
  const One = (): ReactNode => {
    const connection = useConnection("https://example.org/v1/stream/", lobby.options)
    const { members } = usePresence(connection.stream("a"))
    for (const end = performance.now() + 1; performance.now() < end; );
    rendered += 1
    useLayoutEffect(() => void shown.push(members))
    return null
  }
  const All = (): ReactNode => {
    const [isOn, set] = useState(false)
    reveal = set
    useLayoutEffect(() => {
      commits.push(shown)
      shown = []
    })
    return isOn ? Array.from({ length: MANY }, (_, key) => createElement(One, { key })) : null
  }
  await lobby.screen.show([createElement(All, { key: "all" }), lobby.who({ state: 0 })])
  await lobby.pass(FRAME)
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false })
  startTransition(() => reveal?.(true))
  let between = 0
  for (let turn = 1; commits.length < 2 && turn < 2000; turn += 1) {
    // Each change has React begin again; a few are enough.
    if (rendered > between * MANY && between < 2) {
      between += 1
      for (const socket of lobby.server.open) {
        socket.members.set("a", turn)
        socket.tellMembers("a")
      }
      await settle()
      await lobby.world.pass(FRAME)
    }
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
  assert.ok(rendered > MANY, "members changed while components were rendered")
  assert.equal(commits[1]?.length, MANY)
  assert.equal(new Set(commits[1]).size, 1)
  await lobby.leave()
})

// A server, and the package

test("a server renders without asking for anything, and what it has made is left", async () => {
  const world = new World()
  const options = {
    environment: world,
    fetch: () => assert.fail("a request"),
    socket: () => assert.fail("a socket"),
  }
  const seen: Connection[] = []
  const Page = (): ReactNode => {
    const connection = useConnection("/v1/stream/", options)
    seen.push(connection)
    const { members } = usePresence(connection.stream("rooms/7"), { typing: false })
    const { state } = useStream("/v1/stream/jobs/7", options)
    const { records } = useStream(connection.stream("rooms/7"))
    return `${state} ${useConnectionState(connection)} ${records.length} ${members.length}`
  }
  assert.equal(renderToString(createElement(Page)), "idle idle 0 0")
  assert.equal(renderToString(createElement(Page)), "idle idle 0 0")
  await settle()
  assert.equal(new Set(seen).size, 2, "two renders, of two users, share nothing")
  assert.deepEqual([world.timers, world.watchers], [0, 0])
})

test("a connection that nothing has asked for is let go", async () => {
  const connection = connect("/v1/stream/")
  const { url } = connect("https://example.org/v1/stream").stream("rooms/7 8")
  assert.equal(url, "https://example.org/v1/stream/rooms/7%208")
  connection.stream("rooms/7")
  assert.throws(() => connection.stream("rooms/7").url, TypeError)
})

test("React is imported by its own entry alone", () => {
  const files = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
  const found = files.filter((file) => /from "(react|\.[^"]*\/react[/.][^"]*)"/.test(readFileSync(`${root}src/${file}`, "utf8")))
  assert.deepEqual(found, ["react.ts"])
})
