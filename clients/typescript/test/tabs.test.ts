/** One connection for all tabs: whoever goes, in whatever way, the others have each record once. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { type Lines, feedOf } from "../src/connection/feed.ts"
import { MOVED } from "../src/connection/share.ts"
import { HeadwaterError } from "../src/errors.ts"
import { LISTED, type Got, type Page, Profile, settled } from "./support/browser.ts"

const PATH = "rooms/7"

/** Tabs that read, the first of which leads. */
async function opened(count = 3): Promise<{ profile: Profile; pages: Page[]; all: Got[] }> {
  const profile = new Profile()
  profile.server.append(PATH, 1, 2)
  const pages: Page[] = []
  const all: Got[] = []
  for (let index = 0; index < count; index += 1) {
    const page = profile.open()
    pages.push(page)
    all.push(page.read(PATH))
    await settled()
  }
  return { profile, pages, all }
}

const roles = (pages: Page[]): string[] => pages.map(({ connection }) => connection.role)

function close({ pages }: Profile): void {
  for (const { connection } of pages) connection.close()
}

test("one socket for all, one subscription, and each tab from its own place", async () => {
  const { profile, pages, all } = await opened()
  const now = profile.open().read(PATH, { from: "now" })
  await settled()
  profile.server.append(PATH, 3)
  await settled()
  assert.deepEqual(all.map((got) => [...got]), [[1, 2, 3], [1, 2, 3], [1, 2, 3]])
  assert.deepEqual([...now], [3])
  assert.deepEqual(roles(pages), ["leader", "follower", "follower"])
  const [socket] = profile.server.sockets
  assert.equal(profile.server.sockets.length, 1)
  assert.equal(socket?.said.filter(({ t }) => t === "sub").length, 1)
  assert.deepEqual(pages.map(({ connection }) => connection.state), ["live", "live", "live"])
  assert.deepEqual(all.map(({ reader }) => reader?.state), ["live", "live", "live"])
  close(profile)
  await settled()
  assert.equal(profile.locks, 0)
  assert.deepEqual(pages.map(({ world }) => world.watchers + world.timers), [0, 0, 0])
})

test("what followers append and ask goes through the leader, and is answered, with its error too", async () => {
  const { profile, pages, all } = await opened()
  const stream = pages[1]?.connection.stream(PATH, { type: "application/json" })
  const appended = Promise.all([3, 4].map((n) => stream?.append(n as never)))
  await profile.pass(50)
  assert.match((await appended)[1] as string, /4$/)
  await settled()
  assert.deepEqual([...(all[2] as Got)], [1, 2, 3, 4])
  await assert.rejects(stream?.head() as Promise<unknown>, { code: "refused", status: 403 })
  assert.equal(profile.server.sockets.length, 1)
  close(profile)
})

for (const way of ["closed", "crashed", "put aside"] as const) {
  test(`the leader is ${way}: the next one goes on at once, and nothing is lost or comes twice`, async () => {
    const { profile, pages, all } = await opened()
    const [leader, next] = pages as [Page, Page]
    profile.server.append(PATH, 3)
    if (way === "closed") leader.connection.close()
    else if (way === "crashed") leader.crash()
    else leader.world.tell("freeze")
    profile.server.append(PATH, 4)
    await settled()
    profile.server.append(PATH, 5)
    await settled()
    assert.deepEqual(all.slice(1).map((got) => [...got]), [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
    assert.deepEqual(roles([next]), ["leader"])
    assert.equal(profile.server.open.length, 1)
    assert.deepEqual(all.slice(1).map(({ reader }) => reader?.state), ["live", "live"], "no reader was told")
    if (way === "put aside") {
      leader.world.tell("resume")
      await settled()
      assert.deepEqual([...(all[0] as Got)], [1, 2, 3, 4, 5])
      assert.deepEqual(roles(pages), ["follower", "leader", "follower"])
    }
    assert.equal(profile.server.open.length, 1)
    close(profile)
  })
}

test("a leader that hangs is robbed after 1.2 heartbeats and a second, and sends nothing more when it wakes", async () => {
  const { profile, pages, all } = await opened()
  const [leader, next, third] = pages as [Page, Page, Page]
  await profile.pass(3000)
  leader.hang()
  // It was asked to append, and would, if it could.
  const stream = next.connection.stream(PATH, { type: "application/json" })
  const appended = stream.append(3 as never)
  leader.connection.stream(PATH, { type: "application/json" })
  await profile.pass(1000)
  assert.deepEqual(roles([next, third]), ["follower", "follower"])
  await profile.pass(1200)
  assert.deepEqual(roles([next, third]).sort(), ["follower", "leader"])
  await profile.pass(1000)
  await appended
  const [old, own] = profile.server.sockets
  const before = old?.said.length
  profile.server.append(PATH, 4)
  await settled()
  leader.wake(next.world.time)
  await settled()
  assert.equal(old?.said.length, before, "nothing is said under the old term")
  assert.equal(old?.isOpen, false)
  await profile.pass(100)
  assert.deepEqual(all.map((got) => [...got]), [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]])
  assert.deepEqual(profile.server.appends.map(([socket]) => socket), [profile.server.sockets.indexOf(own as never)])
  assert.deepEqual(roles([leader]), ["follower"])
  close(profile)
})

test("hidden tabs rob nobody; one that is seen looks at once", async () => {
  const { profile, pages } = await opened()
  const [leader, next, third] = pages as [Page, Page, Page]
  for (const { world } of [next, third]) world.isHidden = true
  await profile.pass(1000)
  leader.hang()
  await profile.pass(10_000)
  assert.deepEqual(roles([next, third]), ["follower", "follower"])
  third.world.isHidden = false
  third.world.tell("visible")
  await profile.pass(1000)
  assert.deepEqual(roles([next, third]), ["follower", "leader"])
  close(profile)
})

test("the server is away: one tab tries, all say so, and all go on", async () => {
  const { profile, pages, all } = await opened()
  profile.server.isUp = false
  for (const socket of profile.server.open) socket.cut()
  await profile.pass(10_000)
  assert.ok(profile.server.sockets.length < 14, `${profile.server.sockets.length} sockets`)
  for (const { connection } of pages) assert.ok(["waiting", "connecting"].includes(connection.state), connection.state)
  profile.server.isUp = true
  profile.server.append(PATH, 3)
  await profile.pass(40_000)
  assert.deepEqual(all.map((got) => [...got]), [[1, 2, 3], [1, 2, 3], [1, 2, 3]])
  assert.deepEqual(pages.map(({ connection }) => connection.state), ["live", "live", "live"])
  assert.equal(profile.server.open.length, 1)
  close(profile)
})

test("the machine sleeps for a day: all tabs go on, on one socket", async () => {
  const { profile, pages, all } = await opened()
  for (const socket of profile.server.open) socket.readyState = 3
  profile.server.append(PATH, 3)
  for (const { world } of pages) await world.sleep(86_400_000)
  for (const { world } of pages) world.tell("visible")
  await profile.pass(5000)
  assert.deepEqual(all.map((got) => [...got]), [[1, 2, 3], [1, 2, 3], [1, 2, 3]])
  assert.equal(profile.server.open.length, 1)
  assert.deepEqual(pages.map(({ connection }) => connection.state), ["live", "live", "live"])
  close(profile)
})

test("clocks that are put back or forward: a leader that hangs is found all the same", async () => {
  const { profile, pages, all } = await opened()
  for (const jump of [-3_600_000, 7_200_000]) {
    for (const { world } of pages) world.skew += jump
    await profile.pass(4000)
    const leader = pages.find(({ connection }) => connection.role === "leader") as Page
    leader.hang()
    await profile.pass(2400)
    assert.equal(roles(pages.filter((page) => page !== leader)).filter((role) => role === "leader").length, 1)
    leader.wake((pages.find((page) => page !== leader) as Page).world.time)
    profile.server.append(PATH, jump)
    await profile.pass(1000)
  }
  for (const got of all) assert.deepEqual([...got], profile.server.log(PATH))
  close(profile)
})

test("reconnect() of any tab has the leader take another socket", async () => {
  const { profile, pages, all } = await opened()
  pages[2]?.connection.reconnect()
  await profile.pass(2000)
  assert.equal(profile.server.sockets.length, 2)
  assert.equal(profile.server.open.length, 1)
  profile.server.append(PATH, 3)
  await profile.pass(1000)
  for (const got of all) assert.deepEqual([...got], [1, 2, 3])
  close(profile)
})

test("close() in every place: nothing is left of it, and the others go on", async () => {
  for (const place of ["leader", "follower", "joining", "aside", "robbed", "waiting"]) {
    const { profile, pages, all } = await opened()
    let page = pages[place === "follower" ? 1 : 0] as Page
    if (place === "joining") {
      page = profile.open()
      page.read(PATH)
    } else if (place === "aside") page.world.tell("freeze")
    else if (place === "robbed") {
      page.hang()
      await profile.pass(2400)
      page.wake((pages[1] as Page).world.time)
    } else if (place === "waiting") {
      profile.server.isUp = false
      for (const socket of profile.server.open) socket.cut()
      await profile.pass(1000)
      profile.server.isUp = true
    }
    page.connection.close()
    page.connection.close()
    page.world.tell("resume")
    await profile.pass(35_000)
    assert.equal(page.world.timers + page.world.watchers, 0, place)
    profile.server.append(PATH, 3)
    await profile.pass(1000)
    for (const got of all.filter((_, index) => pages[index] !== page)) assert.deepEqual([...got], [1, 2, 3], place)
    assert.equal(profile.server.open.length, 1, place)
    await assert.rejects(page.connection.stream(PATH, { type: "application/json" }).append(1 as never), { code: "stopped" })
    close(profile)
    await settled()
    assert.equal(profile.locks, 0, place)
  }
})

test("two users in two tabs share nothing, and a tab hears no token", async () => {
  const profile = new Profile()
  const heard: string[] = []
  const channel = profile.platform(profile.open({ user: "spy" })).channel("headwater/1/https://example.org/v1/stream//ada")
  channel.onmessage = ({ data }) => heard.push(JSON.stringify(data))
  const ada = [profile.open({ token: "secret-a" }), profile.open({ token: "secret-a" })]
  const bob = profile.open({ user: "bob", token: "secret-b" })
  for (const page of [...ada, bob]) page.read(PATH)
  await settled()
  const stream = ada[1]?.connection.stream(PATH, { type: "application/json" })
  void stream?.append("of ada" as never).catch(() => undefined)
  await profile.pass(50)
  assert.equal(profile.server.open.length, 2)
  assert.deepEqual(profile.server.sockets.map(({ said }) => said[0]?.token), ["secret-a", "secret-b"])
  assert.ok(heard.length > 0)
  assert.ok(!heard.join().includes("secret"))
  // One leaves: the other one stays.
  await ada[0]?.connection.signOut()
  await settled()
  assert.deepEqual(ada.map(({ connection }) => connection.state), ["closed", "closed"])
  assert.equal(bob.connection.state, "live")
  close(profile)
})

test("sign-out ends all tabs, each tells it, and a tab that has read nothing yet as well", async () => {
  const { profile, pages, all } = await opened()
  const told: number[] = []
  pages.forEach(({ connection }, index) => connection.on("sign-out", () => void told.push(index)))
  await pages[1]?.connection.signOut()
  await settled()
  assert.deepEqual(told.sort(), [0, 1, 2])
  assert.equal(profile.server.open.length, 0)
  assert.equal(profile.locks, 0)
  assert.deepEqual(all.map(({ reader }) => reader?.state), ["ended", "ended", "ended"])
})

test("a page that was put aside when the user left is ended when it comes back", async () => {
  const { profile, pages } = await opened()
  const told: string[] = []
  pages[2]?.connection.on("sign-out", () => told.push("out"))
  pages[2]?.world.tell("freeze")
  await pages[0]?.connection.signOut()
  await settled()
  pages[2]?.world.tell("resume")
  await settled()
  assert.deepEqual([pages[2]?.connection.state, told], ["closed", ["out"]])
  assert.equal(profile.server.open.length, 0)
  // Who signs in again is not kept out by that.
  for (const before = Date.now(); Date.now() <= before; ) await settled()
  const got = profile.open().read(PATH)
  await settled()
  assert.deepEqual([...got], [1, 2])
  close(profile)
})

test("a stream that is not there: an error for who does not wait, and its records for who does", async () => {
  const { profile, pages } = await opened(2)
  const path = "rooms/8"
  profile.server.absent.add(path)
  const follower = pages[1] as Page
  const [throws, waits] = [follower.read(path), follower.read(path, { missing: "wait" })]
  await settled()
  assert.equal((throws.error as { code?: string }).code, "stream-not-found")
  assert.equal(waits.reader?.state, "absent")
  profile.server.absent.delete(path)
  profile.server.log(path).push(1)
  for (const socket of profile.server.open) socket.made(path)
  await settled()
  assert.deepEqual([...waits], [1])
  close(profile)
})

test("a tab that looks later is told how many there are, where there are too many for a list", async () => {
  const { profile, pages } = await opened()
  profile.server.crowd = Array.from({ length: LISTED + 1 }, (_, n) => ({ id: `guest-${n}`, state: n }))
  const first = pages[0]?.connection.stream(PATH).presence()
  await settled()
  const second = pages[1]?.connection.stream(PATH).presence()
  await settled()
  assert.deepEqual([first?.count, first?.members.length, second?.count, second?.members.length], [501, 0, 501, 0])
  profile.server.crowd.pop()
  for (const socket of profile.server.open) socket.tellMembers(PATH)
  await settled()
  assert.deepEqual([first?.count, first?.members.length, second?.count, second?.members.length], [500, 500, 500, 500])
  close(profile)
})

test("all tabs are one member: as long as one of them is there, and under the same key after a take-over", async () => {
  const { profile, pages } = await opened()
  const [first, second, third] = pages.map(({ connection }) => connection.stream(PATH))
  const seen = third?.presence()
  await settled()
  const [one, two] = [first?.presence("from one"), second?.presence("from two")]
  await settled()
  const [socket] = profile.server.sockets
  assert.deepEqual(seen?.members, [{ id: "me", state: "from two" }])
  one?.leave()
  await settled()
  assert.deepEqual([...(socket?.members.keys() ?? [])], [PATH], "the other tab is there")
  pages[0]?.crash()
  await settled()
  const own = profile.server.open[0]
  const here = own?.said.filter(({ t }) => t === "here").at(-1)
  assert.deepEqual([here?.key, here?.state], ["key", "from two"])
  const signals = third?.signals()[Symbol.asyncIterator]()
  const signal = signals?.next()
  await settled()
  second?.signal({ on: true })
  await settled()
  assert.deepEqual((await signal)?.value?.data, { on: true })
  two?.leave()
  await settled()
  assert.deepEqual([...(own?.members.keys() ?? [])], [])
  close(profile)
})

test("a follower that is a member and crashes is one no more", async () => {
  const { profile, pages } = await opened()
  pages[1]?.connection.stream(PATH).presence("here")
  await settled()
  assert.equal(profile.server.open[0]?.members.size, 1)
  pages[1]?.crash()
  await settled()
  assert.equal(profile.server.open[0]?.members.size, 0)
  close(profile)
})

test("a slow follower costs the leader nothing, and has everything in the end", async () => {
  const { profile, pages, all } = await opened(2)
  const slow = pages[1]?.connection.stream(PATH).read({ from: "now", buffer: 100 })[Symbol.asyncIterator]()
  const first = slow?.next()
  await settled()
  for (let n = 0; n < 50; n += 1) profile.server.append(PATH, `${n} ${"x".repeat(20)}`)
  await settled()
  assert.equal(all[0]?.length, 52)
  const got = [(await first)?.value?.data as string]
  while (got.length < 50) {
    const next = slow?.next()
    await settled()
    got.push((await next)?.value?.data as string)
  }
  assert.deepEqual(got.map((each) => Number(each.split(" ")[0])), Array.from({ length: 50 }, (_, n) => n))
  close(profile)
})

test("a slow reader of the leader holds up the others for a second at most, and has everything in the end", async () => {
  const profile = new Profile()
  const [leader, follower] = [profile.open(), profile.open()]
  profile.server.append(PATH, 0)
  const slow = leader.connection.stream<number>(PATH).read({ buffer: 100 })[Symbol.asyncIterator]()
  const first = slow.next()
  await settled()
  const got = follower.read(PATH)
  await settled()
  const acks = (): number => profile.server.open[0]?.said.filter(({ t }) => t === "ack").length ?? 0
  // As much as it may be sent.
  profile.server.append(PATH, 1, 2)
  await settled()
  assert.deepEqual([...got], [0, 1, 2])
  assert.equal(acks(), 0)
  await profile.pass(1000)
  assert.equal(acks(), 1)
  profile.server.append(PATH, 3, 4, 5, 6)
  const values = [(await first).value?.data]
  while (values.length < 7) {
    const next = slow.next()
    await settled()
    values.push((await next).value?.data)
  }
  assert.deepEqual(values, [0, 1, 2, 3, 4, 5, 6])
  close(profile)
})

test("without locks each tab has a connection of its own", async () => {
  const profile = new Profile()
  const share = (await import("../src/tabs.ts")).tabs({ user: "ada", platform: { ...profile.platform(profile.open()), locks: { request: () => Promise.reject(new DOMException("no", "SecurityError")) } as never } })
  const pages = [profile.open({ share }), profile.open({ share })]
  for (const page of pages) page.read(PATH)
  await settled()
  assert.equal(profile.server.open.length, 2)
  assert.deepEqual(roles(pages), ["alone", "alone"])
  close(profile)
})

test("tabs without a user are refused", async () => {
  const { tabs } = await import("../src/tabs.ts")
  assert.throws(() => tabs({ user: "" }), { code: "bad-request" })
})

test("whatever becomes of leaders, each tab has each record once and in order", async () => {
  const { profile, all, pages } = await opened(5)
  let next = 3
  for (let round = 0; round < 60; round += 1) {
    const leader = pages.find(({ connection, hangs }) => connection.role === "leader" && !hangs)
    const way = ["cut", "hang", "aside", "cut", "append"][round % 5]
    if (way === "cut") for (const socket of profile.server.open) socket.cut()
    else if (way === "hang" && leader) leader.hang()
    else if (way === "aside" && leader) leader.world.tell("freeze")
    else if (leader) void leader.connection.stream(PATH, { type: "application/json" }).append(next++ as never).catch(() => undefined)
    profile.server.append(PATH, next++)
    await profile.pass(1500)
    const time = Math.max(...pages.map(({ world }) => world.time))
    for (const page of pages) {
      if (page.hangs) page.wake(time)
      page.world.tell("resume")
    }
    await profile.pass(1500)
  }
  await profile.pass(60_000)
  for (const got of all) assert.deepEqual([...got], profile.server.log(PATH))
  assert.equal(profile.server.open.length, 1)
  close(profile)
})

test("what another tab's leader tells before it says where this one goes on is no news: it would leave a hole", async () => {
  const told: [string, string][] = []
  const line = { isFar: true, heartbeat: 0, follow() {}, leave() {}, say() {}, close() {}, ask: () => new Promise(() => undefined) }
  const feed = feedOf("p", { environment: { timer: () => () => undefined }, retry: { connect: 1 }, heartbeat: 0, line: async () => line } as unknown as Lines)
  const wish = { from: "-1", window: 1000 }
  feed.attach({ wish, who: 1, mark: undefined, told: ({ t }, _, from) => told.push([t, from]), lost: assert.ifError })
  await settled()
  feed.told({ t: "sub", s: 1, from: "0" }, "")
  feed.told({ t: "data", s: 1, o: "1" }, "1")
  feed.lost(new HeadwaterError("network", "another tab has the connection now", MOVED))
  await settled()
  // For others, who were there before; then it is this one's turn.
  feed.told({ t: "data", s: 1, o: "5" }, "5")
  feed.told({ t: "live", o: "5" }, "")
  feed.told({ t: "sub", s: 1, from: "5" }, "")
  feed.told({ t: "data", s: 1, o: "6" }, "6")
  assert.deepEqual(told, [["sub", ""], ["data", "0"], ["sub", "1"], ["data", "5"]])
})
