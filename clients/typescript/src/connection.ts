/**
 * Many streams on one WebSocket: `import { connect } from "headwater/connection"`.
 *
 * Rule 1: there is no socket until something is asked for. When it is lost, whoever reads comes back by the rules of
 *         reading, and all of them to one new socket, which is not tried more often than one reader would.
 * Rule 2: a stream is subscribed to once, however many read it here.
 * Rule 3: a page that is put aside has no socket, and behind `close` there is none any more.
 */

import { type ConnectionParts, type Lively, connectionDoor, livelyOf, rootOf } from "./connection/door.ts"
import { type Feed, feedOf } from "./connection/feed.ts"
import { SUBPROTOCOL } from "./connection/messages.ts"
import { type Line, type Session, type SocketFactory, sessionOf } from "./connection/session.ts"
import { pausesOf } from "./connection/pauses.ts"
import type { ConnectionState, Host, Place, Role, Share } from "./connection/share.ts"
import { type Environment, platform } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { eventsOf } from "./events.ts"
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

const LAZY: ConnectionParts = {
  ...lazy,
  connectionWrites: () => import("./connection/writes.ts"),
  connectionRest: () => import("./connection/rest.ts"),
  connectionLeader: () => import("./tabs/leader.ts"),
}

export interface Connection extends AsyncDisposable {
  /** Of the streams, as it was given. */
  readonly root: string
  readonly state: ConnectionState
  /** Who has the socket. Of a shared one, before that is known: another one. */
  readonly role: Role
  /** Whether there is a socket of this tab that is up. */
  readonly isOpen: boolean
  /** Sockets in a row that could not be had. */
  readonly attempt: number
  /** When the next one is tried, in milliseconds of the clock, while all wait. */
  readonly retryAt: number | null
  readonly lastError: HeadwaterError | null
  /** A stream of this server by its path, such as `rooms/7`. */
  stream<T = unknown>(path: string, options?: Omit<StreamOptions<T>, "transport" | "headers" | "credentials" | "fetch">): Stream<T>
  on<K extends keyof ConnectionEvents>(type: K, listener: (event: ConnectionEvents[K]) => unknown): () => void
  /** Tries now, in place of waiting, or takes another socket in place of the one that is there. */
  reconnect(): void
  /** Ends it, and all that is read on it; to close it again is nothing. */
  close(): void
  /** The user leaves: nothing of theirs goes on, here and in all tabs that share it. Waits for what listens to `sign-out`. */
  signOut(): Promise<void>
}

/** A connection to the streams below a URL, such as `https://example.org/v1/stream/`. */
export function connect(url: string | URL, options: ConnectionOptions = {}): Connection {
  const { parts = LAZY, token, name, share, fetch: own, socket = (to, protocols) => new WebSocket(to, protocols) } = options
  const environment = pausesOf(options.environment ?? platform, () => changed())
  const retry = retryOf(options.retry)
  const backoff = backoffOf(retry, environment)
  const { all, emit, on } = eventsOf<ConnectionEvents>()
  const stop = new AbortController()
  const streams = new Map<string, { feed: Feed; live: Lively }>()
  const sessions = new Set<Session>()
  const isFresh = typeof token === "function"
  let opening: Promise<Session> | undefined
  let opener = new AbortController()
  let notBefore = -Infinity
  /** Who tried last, and waits by rules of its own. */
  let last: unknown
  let attempt = 0
  let lastError: HeadwaterError | null = null
  let place: Place | undefined
  let hasJoined = false
  let told: ConnectionState = "idle"
  let toldRole: Role = "alone"
  let unwatch: (() => void) | undefined
  let soon: (() => void) | undefined
  let closed: HeadwaterError | undefined
  let isOut = false

  /** Tells of another state. That all is over for now is told when nobody has come back meanwhile. */
  const changed = (): void => {
    soon?.()
    if (closed) return
    if (self.role !== toldRole) emit("role", (toldRole = self.role))
    if (self.state === "idle") soon = environment.timer(0, tell)
    else tell()
  }

  const tell = (): void => {
    if (self.state === told) return
    told = self.state
    place?.changed()
    emit("state", told)
  }

  /** No socket is kept. */
  const drop = (why: HeadwaterError): void => {
    opener.abort(why)
    opener = new AbortController()
    for (const session of sessions) session.close(why)
  }

  const signedOut = async (): Promise<void> => {
    if (isOut) return
    isOut = true
    self.close()
    const done = await Promise.allSettled(Array.from(all["sign-out"] ?? [], async (hook) => hook(undefined)))
    for (const each of done) if (each.status === "rejected") throw each.reason
  }

  /** The place among the tabs, if it is shared. */
  const join = (): Place | undefined => {
    if (!hasJoined) {
      hasJoined = true
      place = share?.(host)
    }
    return place
  }

  /** A socket of this tab. */
  const mine = async (who: unknown): Promise<Line> => {
    for (;;) {
      if (closed) throw closed
      for (const session of sessions) if (session.isUsable) return session
      const { ended } = await (opening ??= open(who).finally(() => ((opening = undefined), changed())))
      if (ended) throw ended
    }
  }

  const open = async (who: unknown): Promise<Session> => {
    // Behind the assignment by who calls it.
    await null
    changed()
    const left = notBefore - environment.now()
    // Who tried last has waited; all others do not make the attempts more.
    if (left > 0 && who !== last) await pause(environment, backoff, left, stop.signal, undefined, true)
    if (closed) throw closed
    last = who
    unwatch ??= environment.watch((change) => {
      // Of tabs, those of the share do.
      if (change === "freeze" && !place) drop(new HeadwaterError("network", "page freeze"))
      if (/^(online|visible|resume)$/.test(change)) for (const session of sessions) session.doubt()
      changed()
    })
    environment.isSkipped = false
    attempt += 1
    const first = !backoff.count
    backoff.begin()
    const { signal } = opener
    const there = `${host.root.href}-/connect`
    try {
      const hello = { token: isFresh ? await token() : token, name }
      const session = await sessionOf(socket(there.replace(/^http/, "ws"), [SUBPROTOCOL]), hello, signal, host, {
        async expiring(session) {
          try {
            if (isFresh) await session.ask({ t: "auth", token: await token() })
          } catch {
            // Without another token the server closes the connection at the end of access; it says, too, what is not allowed any more.
          }
        },
        told(session) {
          const { ended } = session
          if (!ended) {
            sessions.add(session)
            attempt = 0
          } else {
            sessions.delete(session)
            if (ended.code !== "stopped" && !ended.facts.moved) emit("error", (lastError = ended))
          }
          changed()
        },
        beat: () => place?.beat(),
        stale: () => place?.stale(),
      })
      if (session.ended) throw session.ended
      // Its readers' rules say when to come back; only what cannot be opened is held back here.
      backoff.progress()
      return session
    } catch (caught) {
      const error = caught as HeadwaterError
      if (error.facts?.moved) throw error
      notBefore = environment.now() + (backoff.end({}) ?? retry.cap)
      if (first && error.facts?.opened === false) {
        const why = load(parts.connectionRest).then(({ whyNot }) => whyNot(there, own, host, error))
        lastError = await why.catch(() => error)
      }
      throw lastError ?? error
    }
  }

  const host: Host = {
    environment,
    retry,
    parts,
    signal: stop.signal,
    // Late, so that a connection can be named where there is no page yet.
    get root() {
      return rootOf(url)
    },
    access: { isFresh, refusedAt: -Infinity },
    sessions,
    get self() {
      return self
    },
    async line(who, signal) {
      if (closed) throw closed
      signal?.throwIfAborted()
      const own = (): Promise<Line> => mine(who)
      return join()?.line(own, signal) ?? own()
    },
    of(path) {
      let found = streams.get(path)
      if (!found) streams.set(path, (found = { feed: feedOf(path, host), live: livelyOf(path, host) }))
      return found
    },
    moved: drop,
    signedOut: () => void signedOut().catch(() => undefined),
    changed,
  }

  const self: Connection = {
    root: String(url),
    stream: (path, { signal, ...given } = {}) =>
      streamOf(connectionDoor(path, host), { environment, retry, parts, ...given, signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal }),
    get state() {
      if (closed) return "closed"
      if (place?.role === "follower") return place.state
      if (self.isOpen) return "live"
      if (opening || (place && !place.role)) return "connecting"
      if (sessions.size) return "draining"
      if (environment.next === null) return "idle"
      return environment.online() ? "waiting" : "offline"
    },
    get role() {
      return place ? (place.role ?? "follower") : "alone"
    },
    get isOpen() {
      return [...sessions].some((session) => session.isUsable)
    },
    get attempt() {
      return attempt
    },
    get retryAt() {
      return /^(waiting|offline|draining)$/.test(self.state) ? environment.next : null
    },
    get lastError() {
      return lastError
    },
    on,
    reconnect() {
      place?.reconnect()
      environment.isSkipped = true
      notBefore = -Infinity
      environment.end()
      drop(new HeadwaterError("network", "reconnect()"))
      if (!opening) environment.timer(0, () => (environment.isSkipped = false))
    },
    close() {
      if (closed) return
      closed = stopped("the connection was closed")
      // First: what is ended here is none of the other tabs' business.
      place?.leave()
      stop.abort(closed)
      drop(closed)
      unwatch?.()
      soon?.()
      emit("state", (told = "closed"))
    },
    async signOut() {
      if (!closed) join()?.signOut()
      await signedOut()
    },
    async [Symbol.asyncDispose]() {
      self.close()
    },
  }
  onAbort(options.signal, self.close)
  return self
}

export type { ConnectionState, Role, Share } from "./connection/share.ts"
export type { Socket, SocketFactory } from "./connection/session.ts"
