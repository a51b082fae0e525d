/**
 * Many streams on one WebSocket: `import { connect } from "headwater/connection"`.
 *
 * Rule 1: there is no socket until something is asked for. When it is lost, whoever reads comes back by the rules of
 *         reading, and all of them to one new socket, which is not tried more often than one reader would.
 * Rule 2: a stream is subscribed to once, however many read it here.
 * Rule 3: a page that is put aside has no socket, and behind `close` there is none any more.
 */

import { type ConnectionParts, type Streams, connectionDoor, rootOf } from "./connection/door.ts"
import { Feed } from "./connection/feed.ts"
import { Live } from "./connection/live.ts"
import { type Line, Session, type SocketFactory } from "./connection/session.ts"
import { type Pauses, pausesOf } from "./connection/pauses.ts"
import type { ConnectionState, Host, Place, Role, Share } from "./connection/share.ts"
import { type Environment, type Change, platform } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { lazy, problemBy } from "./lazy.ts"
import { TRUSTED_BEATS } from "./limits.ts"
import { sleep } from "./patience.ts"
import { senderOf } from "./request.ts"
import { type Backoff, type Retry, backoffOf, retryOf } from "./retry.ts"
import { type Stream, type StreamOptions, streamOf } from "./stream.ts"

export interface ConnectionOptions {
  /** Shown in `hello`, and asked for again when access ends and for each socket, so that it can be fresh. */
  token?: string | (() => string | Promise<string>)
  /** What this client is called where readers are listed, and as a member. */
  name?: string
  /** One connection for all tabs: `tabs({ user })` of `headwater/tabs`. */
  share?: Share
  /** In place of the platform's WebSocket. */
  socket?: SocketFactory
  /** In place of the platform's `fetch`, which asks why a handshake was refused. */
  fetch?: typeof fetch
  retry?: Partial<Retry> | false
  /** Where nothing can be loaded later, as in a service worker: `parts` of `headwater/parts`, which has all of it. */
  parts?: ConnectionParts
  /** Ends everything that is done with it. */
  signal?: AbortSignal
  /** In place of the platform's clock and events; for tests. */
  environment?: Environment
}

export interface ConnectionEvents {
  state: ConnectionState
  /** A socket was lost, or could not be had. */
  error: HeadwaterError
  /** This tab has the socket now, or another one. */
  role: Role
  /** The user leaves, here or in another tab; `signOut` waits for what this gives. */
  "sign-out": undefined
}

type Listeners = { [K in keyof ConnectionEvents]: Set<(event: ConnectionEvents[K]) => unknown> }

const LAZY: ConnectionParts = { ...lazy, connectionWrites: () => import("./connection/writes.ts") }

export class Connection implements AsyncDisposable {
  /** Of the streams, with a slash at its end. */
  readonly root: string
  #root: () => URL
  #options: ConnectionOptions
  #environment: Pauses
  #retry: Retry
  #backoff: Backoff
  #sessions = new Set<Session>()
  #opening: Promise<Session> | undefined
  #opener = new AbortController()
  #notBefore = -Infinity
  /** Who tried last, and waits by rules of its own. */
  #last: unknown
  #refusedAt = -Infinity
  #attempt = 0
  #lastError: HeadwaterError | null = null
  #feeds = new Map<string, Feed>()
  #lives = new Map<string, Live>()
  #place: Place | undefined
  #hasJoined = false
  #told: ConnectionState = "idle"
  #toldRole: Role = "alone"
  #listeners: Listeners = { state: new Set(), error: new Set(), role: new Set(), "sign-out": new Set() }
  #unwatch: (() => void) | undefined
  #soon: (() => void) | undefined
  #closed: HeadwaterError | undefined
  #isOut = false
  #stop = new AbortController()

  constructor(url: string | URL, options: ConnectionOptions) {
    this.root = String(url)
    // Late, so that a connection can be named where there is no page yet.
    this.#root = () => rootOf(url)
    this.#options = options
    this.#environment = pausesOf(options.environment ?? platform, () => this.#changed())
    this.#retry = retryOf(options.retry)
    this.#backoff = backoffOf(this.#retry, this.#environment)
    options.signal?.addEventListener("abort", () => this.close(), { once: true })
    if (options.signal?.aborted) this.close()
  }

  /** A stream of this server by its path, such as `rooms/7`. */
  stream<T = unknown>(path: string, options: Omit<StreamOptions<T>, "transport" | "headers" | "credentials" | "fetch"> = {}): Stream<T> {
    const { environment = this.#environment, retry = this.#options.retry, parts = this.#streams.parts } = options
    const signal = options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal
    const door = connectionDoor(this.#root, path, this.#streams)
    return streamOf<T>(door, { ...options, signal, environment, parts, ...(retry === undefined ? {} : { retry }) })
  }

  get state(): ConnectionState {
    if (this.#closed) return "closed"
    if (this.#place?.role === "follower") return this.#place.state
    if (this.isOpen) return "live"
    if (this.#opening || (this.#place && !this.#place.role)) return "connecting"
    if (this.#sessions.size) return "draining"
    if (this.#environment.next === null) return "idle"
    return this.#environment.online() ? "waiting" : "offline"
  }

  /** Who has the socket. Of a shared one, before that is known: another one. */
  get role(): Role {
    return this.#place ? (this.#place.role ?? "follower") : "alone"
  }

  /** Whether there is a socket of this tab that is up. */
  get isOpen(): boolean {
    return [...this.#sessions].some((session) => session.isUsable)
  }

  /** Sockets in a row that could not be had. */
  get attempt(): number {
    return this.#attempt
  }

  /** When the next one is tried, in milliseconds of the clock, while all wait. */
  get retryAt(): number | null {
    return ["waiting", "offline", "draining"].includes(this.state) ? this.#environment.next : null
  }

  get lastError(): HeadwaterError | null {
    return this.#lastError
  }

  on<K extends keyof ConnectionEvents>(type: K, listener: (event: ConnectionEvents[K]) => unknown): () => void {
    this.#listeners[type].add(listener)
    return () => this.#listeners[type].delete(listener)
  }

  /** Tries now, in place of waiting, or takes another socket in place of the one that is there. */
  reconnect(): void {
    this.#place?.reconnect()
    this.#environment.isSkipped = true
    this.#notBefore = -Infinity
    this.#environment.end()
    this.#drop(new HeadwaterError("network", "reconnect() was called"))
    if (!this.#opening) this.#environment.timer(0, () => (this.#environment.isSkipped = false))
  }

  /** Ends it, and all that is read on it; to close it again is nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = stopped("the connection was closed")
    // First: what is ended here is none of the other tabs' business.
    this.#place?.leave()
    this.#stop.abort(this.#closed)
    for (const live of this.#lives.values()) live.end()
    this.#drop(this.#closed)
    this.#unwatch?.()
    this.#soon?.()
    this.#emit("state", (this.#told = "closed"))
  }

  /** The user leaves: nothing of theirs goes on, here and in all tabs that share it. Waits for what listens to `sign-out`. */
  async signOut(): Promise<void> {
    if (!this.#closed && !this.#isOut) this.#join()?.signOut()
    await this.#signedOut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #signedOut(): Promise<void> {
    if (this.#isOut) return
    this.#isOut = true
    this.close()
    this.#lives.clear()
    const all = await Promise.allSettled([...this.#listeners["sign-out"]].map(async (hook) => hook(undefined)))
    for (const each of all) if (each.status === "rejected") throw each.reason
  }

  // What the parts of it need.

  get #streams(): Streams {
    const self = this
    return {
      environment: this.#environment,
      retry: this.#retry,
      get heartbeat() {
        return [...self.#sessions].at(-1)?.heartbeat ?? 0
      },
      parts: this.#options.parts ?? LAZY,
      line: (who, signal) => this.#line(who, signal),
      limited: (ms, call) => this.#limited(ms, call),
      feed: (path) => this.#feed(path),
      live: (path) => this.#live(path),
    }
  }

  #feed(path: string): Feed {
    let feed = this.#feeds.get(path)
    if (!feed) this.#feeds.set(path, (feed = new Feed(path, this.#streams)))
    return feed
  }

  #live(path: string): Live {
    let live = this.#lives.get(path)
    if (!live) this.#lives.set(path, (live = new Live(path, this.#streams, () => this.#feed(path))))
    return live
  }

  /** The place among the tabs, if it is shared. */
  #join(): Place | undefined {
    if (this.#hasJoined || !this.#options.share) return this.#place
    this.#hasJoined = true
    const self = this
    const host: Host = Object.defineProperties(this.#streams, {
      root: { value: this.#root() },
      state: { get: () => self.state },
      moved: { value: (why: HeadwaterError) => this.#drop(why) },
      reconnect: { value: () => this.reconnect() },
      signedOut: { value: () => void this.#signedOut().catch(() => undefined) },
      changed: { value: () => this.#changed() },
    }) as Host
    return (this.#place = this.#options.share(host))
  }

  async #line(who: unknown, signal?: AbortSignal): Promise<Line> {
    for (;;) {
      if (this.#closed) throw this.#closed
      if (signal?.aborted) throw signal.reason as HeadwaterError
      const far = await this.#join()?.line(signal)
      if (far) return far
      if (this.#closed) throw this.#closed
      for (const session of this.#sessions) if (session.isUsable) return session
      if (this.#place?.stale()) continue
      try {
        const opened = await (this.#opening ??= this.#begin(who))
        if (opened.ended) throw opened.ended
      } catch (error) {
        if (!(error as HeadwaterError).facts?.moved) throw error
      }
    }
  }

  /** What a call gives, within a time. */
  async #limited<R>(ms: number, call: Promise<R>): Promise<R> {
    let disarm: (() => void) | undefined
    const late = new Promise<never>((_, reject) => {
      disarm = this.#environment.timer(ms, () => reject(new HeadwaterError("silent", `nothing came in ${ms} ms`)))
    })
    return Promise.race([call, late]).finally(() => disarm?.())
  }

  async #begin(who: unknown): Promise<Session> {
    // Behind the assignment by who calls it.
    await null
    this.#changed()
    try {
      return await this.#open(who)
    } finally {
      this.#opening = undefined
      this.#changed()
    }
  }

  async #open(who: unknown): Promise<Session> {
    const now = this.#environment.now()
    // Who tried last has waited; all others do not make the attempts more.
    if (now < this.#notBefore && who !== this.#last) await sleep(this.#environment, this.#notBefore - now, this.#stop.signal)
    this.#last = who
    this.#watch()
    this.#environment.isSkipped = false
    this.#attempt += 1
    const first = !this.#backoff.count
    this.#backoff.begin()
    try {
      const session = await Session.open({
        url: Object.assign(this.#root(), { protocol: this.#root().protocol.replace(/^http/, "ws") }).href + "-/connect",
        socket: this.#options.socket ?? ((url, protocols) => new WebSocket(url, protocols)),
        environment: this.#environment,
        hello: { token: await this.#token(), name: this.#options.name },
        limit: this.#retry.connect,
        silence: this.#retry.silence,
        signal: this.#opener.signal,
        expiring: (expiring) => void this.#renew(expiring),
        judge: (error) => this.#judge(error),
        changed: (each) => this.#sessionChanged(each),
        beat: () => this.#place?.beat(),
        stale: () => this.#place?.stale() ?? false,
      })
      if (session.ended) throw session.ended
      // Its readers' rules say when to come back; only what cannot be opened is held back here.
      this.#backoff.progress()
      return session
    } catch (error) {
      if ((error as HeadwaterError).facts?.moved) throw error
      const wait = this.#backoff.end({})
      this.#notBefore = this.#environment.now() + (wait ?? this.#retry.cap)
      if (first && (error as HeadwaterError).facts.opened === false) this.#lastError = await this.#why(error as HeadwaterError)
      throw this.#lastError ?? error
    }
  }

  #sessionChanged(session: Session): void {
    const { ended } = session
    if (!ended) {
      this.#sessions.add(session)
      this.#attempt = 0
    } else {
      this.#sessions.delete(session)
      if (ended.code !== "stopped" && !ended.facts.moved) this.#emit("error", (this.#lastError = ended))
    }
    this.#changed()
  }

  /** Tells of another state. That all is over for now is told when nobody has come back meanwhile. */
  #changed(): void {
    const { state, role } = this
    this.#soon?.()
    this.#soon = undefined
    if (this.#closed) return
    if (role !== this.#toldRole) this.#emit("role", (this.#toldRole = role))
    if (state === this.#told) return
    if (state === "idle") this.#soon = this.#environment.timer(0, () => this.#tell(this.state))
    else this.#tell(state)
  }

  #tell(state: ConnectionState): void {
    if (state === this.#told) return
    this.#told = state
    this.#place?.changed()
    this.#emit("state", state)
  }

  #emit<K extends keyof ConnectionEvents>(type: K, event: ConnectionEvents[K]): void {
    for (const listener of this.#listeners[type]) listener(event)
  }

  /** No socket is kept. */
  #drop(why: HeadwaterError): void {
    this.#opener.abort(why)
    this.#opener = new AbortController()
    for (const session of this.#sessions) session.close(why)
  }

  #watch(): void {
    this.#unwatch ??= this.#environment.watch((change) => this.#happened(change))
  }

  #happened(change: Change): void {
    // Of tabs, those of the share do.
    if (change === "freeze" && !this.#place) this.#drop(new HeadwaterError("network", "the page is put aside"))
    if (change === "online" || change === "visible" || change === "resume") {
      for (const session of this.#sessions) {
        if (session.heartbeat && session.quiet > session.heartbeat * TRUSTED_BEATS) {
          session.close(new HeadwaterError("silent", `nothing was heard for ${Math.round(session.quiet)} ms`))
        }
      }
    }
    this.#changed()
  }

  /** A page is not told why a handshake was refused; a plain request is: 426, if nothing is wrong. */
  async #why(error: HeadwaterError): Promise<HeadwaterError> {
    const problem = problemBy(this.#options.parts ?? LAZY)
    const sender = senderOf({ ...(this.#options.fetch ? { fetch: this.#options.fetch } : {}) }, this.#environment)
    try {
      const answer = await sender.send({ url: `${this.#root().href}-/connect`, limit: this.#retry.connect })
      const refused = answer.response.status === 426 ? error : await problem(answer.response)
      answer.release()
      return refused
    } catch {
      return error
    }
  }

  /** A token that is too old may be followed by a fresh one; one that is refused at once is not asked for again. */
  #judge(error: HeadwaterError): HeadwaterError {
    const now = this.#environment.now()
    if (error.status !== 401 || typeof this.#options.token !== "function" || now - this.#refusedAt < this.#retry.stable) return error
    this.#refusedAt = now
    return new HeadwaterError("network", "access has ended; another token will be shown", { cause: error })
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.#options
    return typeof token === "function" ? token() : token
  }

  /** Shows another token, if there may be one; else the server closes the connection at the end of access. */
  async #renew(session: Session): Promise<void> {
    if (typeof this.#options.token !== "function") return
    try {
      await session.ask({ t: "auth", token: await this.#token() })
    } catch {
      // The server says what is not allowed any more, and closes.
    }
  }
}

/** A connection to the streams below a URL, such as `https://example.org/v1/stream/`. */
export function connect(url: string | URL, options: ConnectionOptions = {}): Connection {
  return new Connection(url, options)
}

export type { ConnectionState, Role, Share } from "./connection/share.ts"
export type { Socket, SocketFactory } from "./connection/session.ts"
