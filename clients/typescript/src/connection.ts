/**
 * Many streams on one WebSocket: `import { connect } from "headwater/connection"`.
 *
 * Rule 1: there is no socket until something is asked for. When it is lost, whoever reads comes back by the rules of
 *         reading, and all of them to one new socket, which is not tried more often than one reader would.
 * Rule 2: a stream is subscribed to once, however many read it here.
 * Rule 3: a page that is put aside has no socket, and behind `close` there is none any more.
 */

import { type ConnectionParts, type Lively, connectionDoor, livelyOf, rootOf } from "./connection/door.ts"
import { Feed } from "./connection/feed.ts"
import { type Line, type Session, type SocketFactory, sessionOf } from "./connection/session.ts"
import { type Pauses, pausesOf } from "./connection/pauses.ts"
import type { ConnectionState, Host, Place, Role, Share } from "./connection/share.ts"
import { type Environment, platform } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { lazy, load } from "./lazy.ts"
import { pause } from "./patience.ts"
import { type Retry, backoffOf, retryOf } from "./retry.ts"
import { onAbort } from "./signals.ts"
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

type Listeners = { [K in keyof ConnectionEvents]?: Set<(event: ConnectionEvents[K]) => unknown> }

const LAZY: ConnectionParts = {
  ...lazy,
  connectionWrites: () => import("./connection/writes.ts"),
  connectionLive: () => import("./connection/live.ts"),
  connectionRest: () => import("./connection/rest.ts"),
}

export class Connection implements AsyncDisposable {
  /** Of the streams, with a slash at its end. */
  readonly root: string
  #options: ConnectionOptions
  #environment: Pauses
  /** As its parts and its place among the tabs see it. */
  #host: Host
  #sessions = new Set<Session>()
  #opening: Promise<Session> | undefined
  #opener = new AbortController()
  #notBefore = -Infinity
  /** Who tried last, and waits by rules of its own. */
  #last: unknown
  #refusedAt = -Infinity
  #attempt = 0
  #lastError: HeadwaterError | null = null
  #place: Place | undefined
  #hasJoined = false
  #told: ConnectionState = "idle"
  #toldRole: Role = "alone"
  #listeners: Listeners = {}
  #unwatch: (() => void) | undefined
  #soon: (() => void) | undefined
  #closed: HeadwaterError | undefined
  #isOut = false
  #stop = new AbortController()
  #open: (who: unknown) => Promise<Session>

  constructor(url: string | URL, options: ConnectionOptions) {
    const self = this
    const { parts = LAZY, signal } = options
    const environment = pausesOf(options.environment ?? platform, () => this.#changed())
    const feeds = new Map<string, Feed>()
    const lives = new Map<string, Lively>()
    this.root = String(url)
    this.#options = options
    this.#environment = environment
    const host: Host = {
      environment,
      retry: retryOf(options.retry),
      parts,
      signal: this.#stop.signal,
      // Late, so that a connection can be named where there is no page yet.
      get root() {
        return rootOf(url)
      },
      get heartbeat() {
        return [...self.#sessions].at(-1)?.heartbeat ?? 0
      },
      get state() {
        return self.state
      },
      line: (who, until) => this.#line(who, until),
      feed: (path) => made(feeds, path, () => new Feed(path, host)),
      live: (path) => made(lives, path, () => livelyOf(path, host)),
      moved: (why) => this.#drop(why),
      reconnect: () => this.reconnect(),
      signedOut: () => void this.#signedOut().catch(() => undefined),
      changed: () => this.#changed(),
    }
    this.#host = host
    this.#open = this.#opens()
    onAbort(signal, () => this.close())
  }

  /** A stream of this server by its path, such as `rooms/7`. */
  stream<T = unknown>(path: string, options: Omit<StreamOptions<T>, "transport" | "headers" | "credentials" | "fetch"> = {}): Stream<T> {
    const { environment, retry, parts, signal: stop } = this.#host
    const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop
    return streamOf<T>(connectionDoor(path, this.#host), { environment, retry, parts, ...options, signal })
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
    return /^(waiting|offline|draining)$/.test(this.state) ? this.#environment.next : null
  }

  get lastError(): HeadwaterError | null {
    return this.#lastError
  }

  on<K extends keyof ConnectionEvents>(type: K, listener: (event: ConnectionEvents[K]) => unknown): () => void {
    const set: Set<typeof listener> = (this.#listeners[type] ??= new Set<never>())
    set.add(listener)
    return () => set.delete(listener)
  }

  /** Tries now, in place of waiting, or takes another socket in place of the one that is there. */
  reconnect(): void {
    this.#place?.reconnect()
    this.#environment.isSkipped = true
    this.#notBefore = -Infinity
    this.#environment.end()
    this.#drop(new HeadwaterError("network", "reconnect()"))
    if (!this.#opening) this.#environment.timer(0, () => (this.#environment.isSkipped = false))
  }

  /** Ends it, and all that is read on it; to close it again is nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = stopped("the connection was closed")
    // First: what is ended here is none of the other tabs' business.
    this.#place?.leave()
    this.#stop.abort(this.#closed)
    this.#drop(this.#closed)
    this.#unwatch?.()
    this.#soon?.()
    this.#emit("state", (this.#told = "closed"))
  }

  /** The user leaves: nothing of theirs goes on, here and in all tabs that share it. Waits for what listens to `sign-out`. */
  async signOut(): Promise<void> {
    if (!this.#closed) this.#join()?.signOut()
    await this.#signedOut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #signedOut(): Promise<void> {
    if (this.#isOut) return
    this.#isOut = true
    this.close()
    const all = await Promise.allSettled(Array.from(this.#listeners["sign-out"] ?? [], async (hook) => hook(undefined)))
    for (const each of all) if (each.status === "rejected") throw each.reason
  }

  /** The place among the tabs, if it is shared. */
  #join(): Place | undefined {
    if (!this.#hasJoined) {
      this.#hasJoined = true
      this.#place = this.#options.share?.(this.#host)
    }
    return this.#place
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

  /** What opens a socket. */
  #opens(): (who: unknown) => Promise<Session> {
    const { environment, retry, parts, signal: stop } = this.#host
    const { socket = (url, protocols) => new WebSocket(url, protocols), fetch: own, token, name } = this.#options
    const backoff = backoffOf(retry, environment)
    const isFresh = typeof token === "function"
    const shown = async (): Promise<string | undefined> => (isFresh ? token() : token)

    return async (who) => {
      const left = this.#notBefore - environment.now()
      // Who tried last has waited; all others do not make the attempts more.
      if (left > 0 && who !== this.#last) await pause(environment, backoff, left, stop, undefined, true)
      if (this.#closed) throw this.#closed
      this.#last = who
      this.#unwatch ??= environment.watch((change) => {
        // Of tabs, those of the share do.
        if (change === "freeze" && !this.#place) this.#drop(new HeadwaterError("network", "page freeze"))
        if (/^(online|visible|resume)$/.test(change)) for (const session of this.#sessions) session.doubt()
        this.#changed()
      })
      this.#environment.isSkipped = false
      this.#attempt += 1
      const first = !backoff.count
      backoff.begin()
      const { signal } = this.#opener
      const url = `${this.#host.root.href}-/connect`
      try {
        const session = await sessionOf({
          url: url.replace(/^http/, "ws"),
          socket,
          environment,
          parts,
          hello: { token: await shown(), name },
          retry,
          signal,
          // Without another token the server closes the connection at the end of access; it says, too, what is not allowed any more.
          expiring: (session) => void (isFresh && shown().then((fresh) => session.ask({ t: "auth", token: fresh })).catch(() => undefined)),
          judge: (error) => {
            // A token that is too old may be followed by a fresh one; one that is refused at once is not asked for again.
            const now = environment.now()
            if (error.status !== 401 || !isFresh || now - this.#refusedAt < retry.stable) return error
            this.#refusedAt = now
            return new HeadwaterError("network", "access has ended", { cause: error })
          },
          changed: (session) => {
            const { ended } = session
            if (!ended) {
              this.#sessions.add(session)
              this.#attempt = 0
            } else {
              this.#sessions.delete(session)
              if (ended.code !== "stopped" && !ended.facts.moved) this.#emit("error", (this.#lastError = ended))
            }
            this.#changed()
          },
          beat: () => this.#place?.beat(),
          stale: () => this.#place?.stale(),
        })
        if (session.ended) throw session.ended
        // Its readers' rules say when to come back; only what cannot be opened is held back here.
        backoff.progress()
        return session
      } catch (caught) {
        const error = caught as HeadwaterError
        if (error.facts?.moved) throw error
        this.#notBefore = environment.now() + (backoff.end({}) ?? retry.cap)
        if (first && error.facts?.opened === false) {
          this.#lastError = await load(parts.connectionRest).then(
            ({ whyNot }) => whyNot(url, own ? { fetch: own } : {}, environment, retry.connect, error),
            () => error,
          )
        }
        throw this.#lastError ?? error
      }
    }
  }

  /** Tells of another state. That all is over for now is told when nobody has come back meanwhile. */
  #changed(): void {
    const { state, role } = this
    this.#soon?.()
    if (this.#closed) return
    if (role !== this.#toldRole) this.#emit("role", (this.#toldRole = role))
    if (state === "idle") this.#soon = this.#environment.timer(0, () => this.#tell())
    else this.#tell()
  }

  #tell(): void {
    const { state } = this
    if (state === this.#told) return
    this.#told = state
    this.#place?.changed()
    this.#emit("state", state)
  }

  #emit<K extends keyof ConnectionEvents>(type: K, event: ConnectionEvents[K]): void {
    for (const listener of this.#listeners[type] ?? []) listener(event)
  }

  /** No socket is kept. */
  #drop(why: HeadwaterError): void {
    this.#opener.abort(why)
    this.#opener = new AbortController()
    for (const session of this.#sessions) session.close(why)
  }
}

/** What is there of a path, once it was made. */
function made<V>(all: Map<string, V>, path: string, make: () => V): V {
  let found = all.get(path)
  if (!found) all.set(path, (found = make()))
  return found
}

/** A connection to the streams below a URL, such as `https://example.org/v1/stream/`. */
export function connect(url: string | URL, options: ConnectionOptions = {}): Connection {
  return new Connection(url, options)
}

export type { ConnectionState, Role, Share } from "./connection/share.ts"
export type { Socket, SocketFactory } from "./connection/session.ts"
