/**
 * One WebSocket, from its handshake to its end: who asked what, who reads what, and whether the other side is there.
 *
 * Rule 1: a message with an id has one answer. Without a connection it has the error that ended it.
 * Rule 2: who is not heard for two and a half heartbeats is gone, whatever the socket says.
 * Rule 3: a stream is read once on a connection.
 * Rule 4: where the server says that it stops, nothing is begun any more.
 */

import type { Environment } from "../environment.ts"
import { HeadwaterError, stopped } from "../errors.ts"
import { BEATS, SOCKET_OPEN } from "../limits.ts"
import { type Told, SUBPROTOCOL, errorOf, errorOfClose, parse } from "./messages.ts"

/** What of the platform's WebSocket is used. */
export type Socket = Pick<WebSocket, "send" | "close"> & {
  readonly readyState: number
  onopen: ((event: Event) => void) | null
  onmessage: ((event: MessageEvent) => void) | null
  onclose: ((event: CloseEvent) => void) | null
  onerror: ((event: Event) => void) | null
}
export type SocketFactory = (url: string, protocols: string[]) => Socket

/** Who reads a stream of a line. */
export interface Follower {
  readonly path: string
  /** A message about the stream, and its text. */
  told(told: Told, text: string): void
  /** The line is over. */
  lost(error: HeadwaterError): void
}

/** What carries the messages of a connection: a session, or the tab that has one. */
export interface Line {
  /** Milliseconds. */
  readonly heartbeat: number
  /** Of another tab's: a stream is told from where that one stands, wherever it is asked for. */
  readonly isFar?: boolean
  /** Asks, and waits for the answer. `raw` is JSON text that becomes the field `r`. */
  ask(message: object, raw?: string): Promise<Told>
  /** Says something that is not answered; nothing, if it is over. */
  say(message: object): void
  /** Reads a stream; what is told of it goes to the follower. One follower for each stream. */
  follow(follower: Follower, fields: object): void
  /** Reads it no more. */
  leave(follower: Follower): void
  /** Ends it: the other side does not answer. */
  close(why: HeadwaterError): void
}

export interface SessionOptions {
  url: string
  socket: SocketFactory
  environment: Environment
  hello: { token?: string | undefined; name?: string | undefined }
  /** Milliseconds until `welcome`. */
  limit: number
  /** Milliseconds without a message after which the other side is gone; 0: by its heartbeat. */
  silence: number
  /** Ends it while it is being opened. */
  signal: AbortSignal
  /** Access ends soon: another token is wanted. */
  expiring(session: Session): void
  /** What readers are told of the end. */
  judge(error: HeadwaterError): HeadwaterError
  /** It is opened, is about to end, or has ended. */
  changed(session: Session): void
  /** The server said something. */
  beat(): void
  /** Of tabs: whether this one stood still so long that another one may have taken over; then nothing more is done with it. */
  stale(): boolean
}

interface Asked {
  resolve(told: Told): void
  reject(error: HeadwaterError): void
}


export class Session implements Line {
  /** Why it is over. */
  ended: HeadwaterError | undefined
  /** When this client is to come back, in milliseconds from `drain` on; undefined: nobody said that it ends. */
  after: number | undefined
  heartbeat = 0
  #options: SessionOptions
  #socket: Socket
  #next = 1
  #asked = new Map<number, Asked>()
  #followers = new Map<number, Follower>()
  #coming = new Map<number, Follower>()
  #opened = false
  #heard = 0
  #disarm: (() => void) | undefined

  private constructor(options: SessionOptions, socket: Socket) {
    this.#options = options
    this.#socket = socket
  }

  /** Connects and says hello. */
  static async open(options: SessionOptions): Promise<Session> {
    const socket = options.socket(options.url, [SUBPROTOCOL])
    const session = new Session(options, socket)
    await session.#begin()
    return session
  }

  get isUsable(): boolean {
    return this.ended === undefined && this.after === undefined
  }

  /** Milliseconds since something was heard. */
  get quiet(): number {
    return this.#options.environment.now() - this.#heard
  }

  say(message: object): void {
    if (this.#speaks() && this.#socket.readyState === SOCKET_OPEN) this.#socket.send(JSON.stringify(message))
  }

  ask(message: object, raw?: string): Promise<Told> {
    if (!this.#speaks()) return Promise.reject(this.ended)
    const id = this.#next++
    const text = JSON.stringify({ id, ...message })
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#socket.send(raw === undefined ? text : `${text.slice(0, -1)},"r":${raw}}`)
    })
  }

  follow(follower: Follower, fields: object): void {
    if (!this.#speaks()) return follower.lost(this.ended as HeadwaterError)
    const id = this.#next++
    this.#coming.set(id, follower)
    this.#socket.send(JSON.stringify({ t: "sub", id, path: follower.path, ...fields }))
  }

  leave(follower: Follower): void {
    let known = false
    for (const map of [this.#coming, this.#followers]) {
      for (const [key, each] of map) if (each === follower) known = map.delete(key)
    }
    if (known) this.say({ t: "unsub", path: follower.path })
  }

  close(why: HeadwaterError = stopped("the session was closed")): void {
    this.#end(why)
    this.#socket.close(1000)
  }

  /** Whether it goes on; not behind a page that stood still. */
  #speaks(): boolean {
    if (!this.ended && this.#options.stale()) this.close(new HeadwaterError("network", "the page stood still"))
    return !this.ended
  }

  #begin(): Promise<void> {
    const { environment, limit, hello, signal } = this.#options
    const abort = (): void => this.close(signal.reason as HeadwaterError)
    signal.addEventListener("abort", abort, { once: true })
    return new Promise<void>((resolve, reject) => {
      const late = environment.timer(limit, () => {
        this.#end(new HeadwaterError("connect-timeout", `there was no connection within ${limit} ms`))
        this.#socket.close()
      })
      const failed = (error: HeadwaterError): void => {
        late()
        reject(error)
      }
      this.#asked.set(0, {
        resolve: (told) => {
          late()
          this.heartbeat = Number(told.heartbeat ?? 0) * 1000
          this.#watch()
          this.#options.changed(this)
          resolve()
        },
        reject: failed,
      })
      this.#socket.onopen = () => {
        this.#opened = true
        this.#watch()
        this.#socket.send(JSON.stringify({ t: "hello", ...hello }))
      }
      this.#socket.onmessage = ({ data }) => this.#take(data as string)
      this.#socket.onclose = ({ code, reason }) => this.#end(errorOfClose(code, reason, this.#opened))
      // It says nothing that `close` does not say as well.
      this.#socket.onerror = () => undefined
    }).finally(() => signal.removeEventListener("abort", abort))
  }

  #take(text: string): void {
    if (!this.#speaks()) return
    this.#heard = this.#options.environment.now()
    this.#options.beat()
    try {
      this.#hear(parse(text), text)
    } catch (error) {
      this.#end(error as HeadwaterError)
      this.#socket.close()
    }
  }

  #hear(told: Told, text: string): void {
    switch (told.t) {
      case "welcome":
        return this.#answer(0, told)
      case "ping":
        return this.say({ t: "pong" })
      case "drain":
        this.#drain(told)
        for (const follower of this.#all()) follower.told(told, text)
        return
      case "expiring":
        return this.#options.expiring(this)
      case "sub": {
        const follower = this.#coming.get(told.id ?? -1)
        if (!follower || told.s === undefined) return
        this.#coming.delete(told.id ?? -1)
        this.#followers.set(told.s, follower)
        return follower.told(told, text)
      }
      case "waiting":
        return this.#coming.get(told.id ?? -1)?.told(told, text)
      case "err":
        return this.#refused(told, text)
      case "end": {
        const follower = this.#followers.get(told.s ?? -1)
        this.#followers.delete(told.s ?? -1)
        // The stream is let go because the server stops: `drain` is on its way, and nothing is begun here any more.
        if (told.why === "detached" && told.code === "stopping") this.#drain(told)
        return follower?.told(told, text)
      }
      case "data":
      case "live":
      case "gap":
      case "signal":
      case "presence":
        return this.#followers.get(told.s ?? -1)?.told(told, text)
      default:
        // A record's own text is in that of its page.
        if (told.t === "page") told.text = text
        if (told.id !== undefined) this.#answer(told.id, told)
    }
  }

  #refused(told: Told, text: string): void {
    const coming = this.#coming.get(told.id ?? -1)
    if (coming) {
      this.#coming.delete(told.id ?? -1)
      return coming.told(told, text)
    }
    if (told.id === undefined) return this.#followers.get(told.s ?? -1)?.told(told, text)
    const asked = this.#asked.get(told.id)
    this.#asked.delete(told.id)
    asked?.reject(errorOf(told))
  }

  #drain(told: Told): void {
    this.after = (told.after ?? 0) * 1000
    this.#options.changed(this)
  }

  #answer(id: number, told: Told): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    asked?.resolve(told)
  }

  *#all(): Iterable<Follower> {
    yield* [...this.#coming.values(), ...this.#followers.values()]
  }

  /** Asks when nothing was heard for a heartbeat, and ends it after two and a half. */
  #watch(): void {
    const { environment, silence } = this.#options
    const beat = this.heartbeat || silence / BEATS
    this.#disarm?.()
    if (!beat || this.ended) return
    const most = silence || beat * BEATS
    this.#heard = environment.now()
    const look = (): void => {
      const quiet = environment.now() - this.#heard
      if (quiet >= most) {
        this.#end(new HeadwaterError("silent", `nothing was heard for ${Math.round(quiet)} ms`))
        this.#socket.close()
        return
      }
      if (quiet >= beat) this.say({ t: "ping" })
      this.#disarm = environment.timer(Math.min(beat, most - quiet), look)
    }
    this.#disarm = environment.timer(beat, look)
  }

  #end(error: HeadwaterError): void {
    if (this.ended) return
    this.ended = error = this.#options.judge(error)
    this.#disarm?.()
    const asked = [...this.#asked.values()]
    const followers = [...this.#all()]
    this.#asked.clear()
    this.#coming.clear()
    this.#followers.clear()
    this.#options.changed(this)
    for (const each of asked) each.reject(error)
    for (const follower of followers) follower.lost(error)
  }
}
