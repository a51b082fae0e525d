/**
 * Many streams on one WebSocket: `import { connect } from "headwater/connection"`.
 *
 * Rule 1: there is no socket until something is asked for. When it is lost, whoever reads comes back by the rules of
 *         reading, and all of them to one new socket, which is not tried more often than one reader would.
 * Rule 2: a second reader of a stream has a socket of its own: on one connection a stream is read once.
 */

import { ConnectionDoor, rootOf } from "./connection/door.ts"
import { Live } from "./connection/live.ts"
import { Session, type SocketFactory } from "./connection/session.ts"
import { type Environment, platform } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { sleep } from "./patience.ts"
import { Requester, problemOf } from "./request.ts"
import { type Backoff, type Retry, backoffOf, retryOf } from "./retry.ts"
import { type Stream, type StreamOptions, streamOf } from "./stream.ts"

export interface ConnectionOptions {
  /** Shown in `hello`, and asked for again when access ends and for each socket, so that it can be fresh. */
  token?: string | (() => string | Promise<string>)
  /** What this client is called where readers are listed, and as a member. */
  name?: string
  /** In place of the platform's WebSocket. */
  socket?: SocketFactory
  /** In place of the platform's `fetch`, which asks why a handshake was refused. */
  fetch?: typeof fetch
  retry?: Partial<Retry> | false
  /** Ends everything that is done with it. */
  signal?: AbortSignal
  /** In place of the platform's clock and events; for tests. */
  environment?: Environment
}

/** Streams whose signals and members were asked for, that are kept while nobody listens. */
type Lives = Map<string, Live>

export class Connection implements AsyncDisposable {
  /** Of the streams, with a slash at its end. */
  readonly root: string
  #root: () => URL
  #options: ConnectionOptions
  #environment: Environment
  #retry: Retry
  #backoff: Backoff
  #sessions: Session[] = []
  #opening: Promise<Session> | undefined
  #notBefore = -Infinity
  /** Who tried last, and waits by rules of its own. */
  #last: string | undefined
  #refusedAt = -Infinity
  #lives: Lives = new Map()
  #closed: HeadwaterError | undefined
  #stop = new AbortController()

  constructor(url: string | URL, options: ConnectionOptions) {
    this.root = String(url)
    // Late, so that a connection can be named where there is no page yet.
    this.#root = () => rootOf(url)
    this.#options = options
    this.#environment = options.environment ?? platform
    this.#retry = retryOf(options.retry)
    this.#backoff = backoffOf(this.#retry, this.#environment.random)
    options.signal?.addEventListener("abort", () => this.close(), { once: true })
    if (options.signal?.aborted) this.close()
  }

  /** A stream of this server by its path, such as `rooms/7`. */
  stream<T = unknown>(path: string, options: Omit<StreamOptions<T>, "transport" | "headers" | "credentials" | "fetch"> = {}): Stream<T> {
    const { environment = this.#environment, retry = this.#options.retry } = options
    const signal = options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal
    const door = new ConnectionDoor(this.#root(), path, this)
    return streamOf<T>(door, { ...options, signal, environment, ...(retry === undefined ? {} : { retry }) })
  }

  /** Whether there is a socket that is up. */
  get isOpen(): boolean {
    return this.#sessions.some((session) => session.isUsable)
  }

  /** Ends it, and all that is read on it; to close it again is nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = stopped("the connection was closed")
    this.#stop.abort(this.#closed)
    for (const live of this.#lives.values()) live.end()
    for (const session of this.#sessions.splice(0)) session.close(this.#closed)
  }

  /** The user leaves: nothing of theirs stays behind. */
  signOut(): void {
    this.close()
    this.#lives.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  // For the doors.

  /** A session that does not read this path; see `Sessions`. */
  async session(path: string | undefined, signal?: AbortSignal): Promise<Session> {
    for (;;) {
      if (this.#closed) throw this.#closed
      if (signal?.aborted) throw signal.reason as HeadwaterError
      this.#sessions = this.#sessions.filter((session) => !session.ended)
      const found = this.#sessions.find((session) => session.isUsable && !(path !== undefined && session.reads(path)))
      if (found) {
        if (path !== undefined) found.claim(path)
        return found
      }
      const opened = await (this.#opening ??= this.#open(path).finally(() => (this.#opening = undefined)))
      if (opened.ended) throw opened.ended
    }
  }

  /** See `LiveDoor`: one for all streams of a path. */
  live(path: string): Live {
    let live = this.#lives.get(path)
    if (!live) this.#lives.set(path, (live = new Live(path, this, this.#environment, this.#retry)))
    return live
  }

  /** What a call gives, within a time. */
  async limited<R>(ms: number, call: Promise<R>): Promise<R> {
    let disarm: (() => void) | undefined
    const late = new Promise<never>((_, reject) => {
      disarm = this.#environment.timer(ms, () => reject(new HeadwaterError("silent", `there was no answer within ${ms} ms`)))
    })
    return Promise.race([call, late]).finally(() => disarm?.())
  }

  async #open(path: string | undefined): Promise<Session> {
    const now = this.#environment.now()
    // Who tried last has waited; all others do not make the attempts more.
    if (now < this.#notBefore && path !== this.#last) await sleep(this.#environment, this.#notBefore - now, this.#stop.signal)
    this.#last = path
    const first = !this.#backoff.count
    this.#backoff.begin(this.#environment.now())
    try {
      const session = await Session.open({
        url: Object.assign(this.#root(), { protocol: this.#root().protocol.replace(/^http/, "ws") }).href + "-/connect",
        socket: this.#options.socket ?? ((url, protocols) => new WebSocket(url, protocols)),
        environment: this.#environment,
        hello: { token: await this.#token(), name: this.#options.name },
        limit: this.#retry.connect,
        silence: this.#retry.silence,
        signal: this.#stop.signal,
        expiring: (expiring) => void this.#renew(expiring),
        judge: (error) => this.#judge(error),
      })
      if (this.#closed) {
        session.close(this.#closed)
        throw this.#closed
      }
      // Its readers' rules say when to come back; only what cannot be opened is held back here.
      this.#backoff.progress(this.#environment.now())
      this.#sessions.push(session)
      return session
    } catch (error) {
      const wait = this.#backoff.end({ up: 0, heard: false }, this.#environment.now())
      this.#notBefore = this.#environment.now() + (wait ?? this.#retry.cap)
      throw first && (error as HeadwaterError).facts.opened === false ? await this.#why(error as HeadwaterError) : error
    }
  }

  /** A page is not told why a handshake was refused; a plain request is: 426, if nothing is wrong. */
  async #why(error: HeadwaterError): Promise<HeadwaterError> {
    const requester = new Requester({ ...(this.#options.fetch ? { fetch: this.#options.fetch } : {}) }, this.#environment)
    try {
      const answer = await requester.send({ url: `${this.#root().href}-/connect`, limit: this.#retry.connect })
      const refused = answer.response.status === 426 ? error : await problemOf(answer.response)
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

export type { Socket, SocketFactory } from "./connection/session.ts"
