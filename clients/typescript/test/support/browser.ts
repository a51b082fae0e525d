/** A browser profile with tabs that can be closed, crash, hang and be put aside; and a server for their sockets. */

import { type Connection, type ConnectionOptions, type Socket, connect } from "../../src/connection.ts"
import { type Platform, tabs } from "../../src/tabs.ts"
import { at } from "./server.ts"
import { World, settle } from "./world.ts"

type Message = Record<string, unknown> & { t: string; id?: number; path?: string }
type Channel = ReturnType<Platform["channel"]>

interface Held {
  page: Page
  release: () => void
  robbed: (error: Error) => void
}

interface Queued {
  page: Page
  grant: () => void
}

const HEARTBEAT: number = 1000

/** Streams of JSON, and everything that was said to it. */
/** Members above which the server says only how many there are. */
export const LISTED = 500

export class Server {
  /** Members of each stream beside those of the test's pages. */
  crowd: { id: string; state: unknown }[] = []
  logs: Map<string, unknown[]> = new Map()
  sockets: ServerSocket[] = []
  /** Every append that came: of which socket, and its producer. */
  appends: [socket: number, producer: unknown, records: unknown][] = []
  isUp = true
  /** Streams that are not there. */
  absent: Set<string> = new Set()
  #producers = new Map<string, number>()

  get open(): ServerSocket[] {
    return this.sockets.filter(({ isOpen }) => isOpen)
  }

  log(path: string): unknown[] {
    const log = this.logs.get(path) ?? []
    this.logs.set(path, log)
    return log
  }

  append(path: string, ...records: unknown[]): void {
    const log = this.log(path)
    const from = log.length
    log.push(...records)
    for (const socket of this.open) socket.data(path, from)
  }

  /** Whether it is taken: not, if it was before. */
  take(socket: ServerSocket, { p, path = "", r }: Message): boolean {
    this.appends.push([this.sockets.indexOf(socket), p, r])
    const [id, epoch, seq] = (p as [string, number, number] | undefined) ?? ["", 0, Infinity]
    const key = `${path} ${id} ${epoch}`
    if (seq < (this.#producers.get(key) ?? 0)) return false
    this.#producers.set(key, seq + 1)
    this.append(path, ...(r as unknown[]))
    return true
  }
}

/** Who appended the record of a number; of every other one nobody is named. */
export const writer = (n: number): { subject: string } | null => (n % 2 ? null : { subject: `u${n}` })

export class ServerSocket implements Socket {
  readyState = 0
  onopen: Socket["onopen"] = null
  onmessage: Socket["onmessage"] = null
  onclose: Socket["onclose"] = null
  onerror: Socket["onerror"] = null
  readonly said: Message[] = []
  members: Map<string, unknown> = new Map()
  #server: Server
  #page: Page
  #subscribed = new Set<string>()
  /** Those whose records come with what is known of them. */
  #enveloped = new Set<string>()
  #waiting = new Map<string, Message>()

  constructor(server: Server, page: Page) {
    this.#server = server
    this.#page = page
    server.sockets.push(this)
    page.later(() => (server.isUp ? this.#begin() : this.cut()))
  }

  get isOpen(): boolean {
    return this.readyState === 1
  }

  isOf(page: Page): boolean {
    return this.#page === page
  }

  send(text: unknown): void {
    const message = JSON.parse(text as string) as Message
    this.said.push(message)
    if (this.isOpen) this.#answer(message)
  }

  close(): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#page.later(() => this.onclose?.({ code: 1000, reason: "" } as CloseEvent))
  }

  cut(code = 1006): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#page.later(() => this.onclose?.({ code, reason: "" } as CloseEvent))
  }

  say(message: object): void {
    const data = JSON.stringify(message)
    this.#page.later(() => this.readyState === 1 && this.onmessage?.(new MessageEvent("message", { data })))
  }

  data(path: string, from: number): void {
    if (!this.#subscribed.has(path)) return
    const log = this.#server.log(path)
    const known = (n: number): object => (this.#enveloped.has(path) ? { at: [n + 1], by: [writer(n)] } : {})
    for (let n = from; n < log.length; n += 1) this.say({ t: "data", s: this.#number(path), o: at(n + 1), r: [log[n]], ...known(n) })
  }

  /** What the server says when it has nothing to say. */
  ping(): void {
    this.say({ t: "ping" })
  }

  #begin(): void {
    this.readyState = 1
    this.onopen?.(new Event("open"))
  }

  #number(path: string): number {
    return [...this.#server.logs.keys()].indexOf(path)
  }

  #place(from: unknown, length: number): number {
    return from === "now" ? length : from === "-1" || from === undefined ? 0 : Number((from as string).split("_")[1])
  }

  #answer(message: Message): void {
    const { t, id, path = "" } = message
    const log = this.#server.log(path)
    const from = this.#place(message.from, log.length)
    const tail = at(log.length)
    if ((t === "sub" || t === "read") && this.#server.absent.has(path)) {
      if (message.missing === "wait") {
        this.#waiting.set(path, message)
        this.say({ t: "waiting", id, path, o: at(0) })
      } else this.say({ t: "err", id, code: "stream-not-found", status: 404, detail: "no stream", advice: "" })
    } else if (t === "hello") this.say({ t: "welcome", server: "test", heartbeat: HEARTBEAT / 1000, window: 262144, limits: {} })
    else if (t === "sub") {
      this.#subscribed.add(path)
      this.#enveloped[message.envelope ? "add" : "delete"](path)
      this.say({ t: "sub", id, s: this.#number(path), path, type: "application/json", from: at(from), tail, earliest: at(0) })
      this.data(path, from)
      this.say({ t: "live", s: this.#number(path), o: tail })
      if (message.presence) this.tellMembers(path)
    } else if (t === "unsub") this.#subscribed.delete(path)
    else if (t === "read") {
      const e = log.slice(from, -1).map((_, index) => at(from + index + 1).slice(-4))
      const known = message.envelope ? { at: log.slice(from).map((_, index) => from + index + 1), by: log.slice(from).map((_, index) => writer(from + index)) } : {}
      this.say({ t: "page", id, from: at(from), o: tail, live: true, e, r: log.slice(from), ...known })
    } else if (t === "append") this.say({ t: "ok", id, dup: !this.#server.take(this, message), o: at(log.length) })
    else if (t === "here") {
      if (message.state === null) this.members.delete(path)
      else this.members.set(path, message.state)
      if (id !== undefined) this.say({ t: "here", id, member: "me", key: "key", count: 1 })
      this.tellMembers(path)
    } else if (t === "signal") this.say({ t: "signal", s: this.#number(path), from: "me", data: message.data })
    else if (t === "head") this.say({ t: "err", id, code: "refused", status: 403, detail: "not you", advice: "", facts: { why: "test" } })
  }

  /** It is there now. */
  made(path: string): void {
    const message = this.#waiting.get(path)
    if (message) this.#answer({ ...message, from: "-1" })
  }

  tellMembers(path: string): void {
    const me = this.members.has(path) ? [{ id: "me", state: this.members.get(path) }] : []
    const members = [...me, ...this.#server.crowd]
    this.say({ t: "presence", s: this.#number(path), version: 1, count: members.length, members: members.length > LISTED ? null : members })
  }
}

export class Profile {
  readonly server: Server
  pages: Page[] = []
  #held = new Map<string, Held>()
  #queues = new Map<string, Queued[]>()
  #stored = new Map<string, string>()
  #channels = new Map<string, Map<Channel, Page>>()

  constructor(server: Server = new Server()) {
    this.server = server
  }

  open(options: ConnectionOptions & { user?: string } = {}): Page {
    const page = new Page(this, options)
    this.pages.push(page)
    return page
  }

  /** Time passes, in small steps, for all that do not hang; the server pings. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      for (const page of this.pages) if (!page.hangs) await page.world.pass(Math.min(50, left))
      if (left % HEARTBEAT === 0) for (const socket of this.server.open) socket.ping()
      await settled()
    }
  }

  platform(page: Page): Platform {
    return {
      locks: { request: (...all: unknown[]) => this.#request(page, ...(all as [string, LockOptions, () => Promise<unknown>])) } as Platform["locks"],
      channel: (name) => this.#channel(page, name),
      terms: () => ({ getItem: (key) => this.#stored.get(key) ?? null, setItem: (key, value) => void this.#stored.set(key, value) }),
    }
  }

  /** It is gone, and nothing in it runs any more. */
  end(page: Page): void {
    page.isGone = true
    this.pages = this.pages.filter((each) => each !== page)
    for (const queue of this.#queues.values()) queue.splice(0, Infinity, ...queue.filter((each) => each.page !== page))
    for (const [name, held] of this.#held) if (held.page === page) this.#free(name, held)
    for (const channels of this.#channels.values()) for (const [channel, owner] of channels) if (owner === page) channels.delete(channel)
  }

  holder(): Page | undefined {
    return [...this.#held].find(([name]) => !name.split("/v1/stream/")[1]?.slice(1).includes("/"))?.[1].page
  }

  get locks(): number {
    return this.#held.size + [...this.#queues.values()].flat().length
  }

  #free(name: string, held: Held): void {
    if (this.#held.get(name) !== held) return
    this.#held.delete(name)
    this.#queues.get(name)?.shift()?.grant()
  }

  #request(page: Page, name: string, { signal, steal }: LockOptions, call: () => Promise<unknown>): Promise<unknown> {
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    return new Promise((resolve, reject) => {
      const aborted = (): DOMException => new DOMException("no", "AbortError")
      const hold = (): void => {
        const held: Held = { page, release: () => this.#free(name, held), robbed: (error) => page.later(() => reject(error)) }
        this.#held.set(name, held)
        page.later(() => {
          Promise.resolve(call()).then((value) => {
            resolve(value)
            held.release()
          }, reject)
        })
      }
      if (signal?.aborted) return reject(aborted())
      if (steal) {
        this.#held.get(name)?.robbed(aborted())
        return hold()
      }
      if (!this.#held.has(name)) return hold()
      const queued = { page, grant: hold }
      queue.push(queued)
      signal?.addEventListener("abort", () => {
        const index = queue.indexOf(queued)
        if (index < 0) return
        queue.splice(index, 1)
        page.later(() => reject(aborted()))
      })
    })
  }

  #channel(page: Page, name: string): Channel {
    const all = this.#channels.get(name) ?? new Map<Channel, Page>()
    this.#channels.set(name, all)
    const channel: Channel = {
      onmessage: null,
      postMessage: (data: unknown) => {
        if (page.isGone) return
        for (const [other, owner] of all) {
          const copy = structuredClone(data)
          if (other !== channel) owner.later(() => all.has(other) && other.onmessage?.(new MessageEvent("message", { data: copy })))
        }
      },
      close: () => void all.delete(channel),
    }
    all.set(channel, page)
    return channel
  }
}

export class Page {
  readonly world: World = new World()
  readonly connection: Connection
  isGone = false
  #hangs = false
  #pending: (() => void)[] = []
  #profile: Profile

  constructor(profile: Profile, { user = "ada", ...options }: ConnectionOptions & { user?: string }) {
    this.#profile = profile
    this.world.time = profile.pages[0]?.world.time ?? 1_000_000
    this.connection = connect("https://example.org/v1/stream/", {
      environment: this.world,
      socket: () => new ServerSocket(profile.server, this),
      fetch: async () => new Response(null, { status: 426 }),
      share: tabs({ user, platform: profile.platform(this) }),
      ...options,
    })
  }

  /** A task of the page, in its order; none while it hangs. */
  later(call: () => void): void {
    this.#pending.push(call)
    if (!this.#hangs) setImmediate(() => this.#run())
  }

  get hangs(): boolean {
    return this.#hangs
  }

  crash(): void {
    this.#hangs = true
    for (const socket of this.#profile.server.open) if (socket.isOf(this)) socket.readyState = 3
    this.#profile.end(this)
  }

  hang(): void {
    this.#hangs = true
  }

  wake(time: number): void {
    this.#hangs = false
    this.world.time = time
    this.#run()
  }

  #run(): void {
    while (this.#pending.length && !this.#hangs && !this.isGone) this.#pending.shift()?.()
  }

  /** What a reader of it has got. */
  read(path: string, options: Parameters<ReturnType<Connection["stream"]>["read"]>[0] = {}): Got {
    const got: Got = Object.assign([] as unknown[], { error: undefined as unknown })
    const reader = this.connection.stream(path).read(options)
    void (async () => {
      for await (const { data } of reader) got.push(data)
    })().catch((error: unknown) => (got.error = error))
    return Object.assign(got, { reader })
  }
}

export type Got = unknown[] & { error: unknown; reader?: { state: string; close(): void } }

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await settle()
}
