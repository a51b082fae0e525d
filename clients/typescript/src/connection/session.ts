/**
 * One WebSocket, from its handshake to its end: who asked what, who reads what, and whether the other side is there.
 *
 * Rule 1: a message with an id has one answer. Without a connection it has the error that ended it.
 * Rule 2: who is not heard for two and a half heartbeats is gone, whatever the socket says.
 * Rule 3: a stream is read once on a connection.
 * Rule 4: where the server says that it stops, nothing is begun any more.
 */

import { HeadwaterError } from "../errors.ts"
import { load } from "../lazy.ts"
import { BEATS, SOCKET_OPEN, TRUSTED_BEATS } from "../limits.ts"
import { onAbort } from "../signals.ts"
import type { Lines, Wish } from "./feed.ts"
import { type Told, parse } from "./messages.ts"

/** What of the platform's WebSocket is used. */
export type Socket = Pick<WebSocket, "send" | "close"> & {
  readonly readyState: number
  onopen: ((event: Event) => void) | null
  onmessage: ((event: MessageEvent) => void) | null
  onclose: ((event: CloseEvent) => void) | null
  onerror: ((event: Event) => void) | null
}
export type SocketFactory = (url: string, protocols: string[]) => Socket

/** Who is told something of a line. */
interface Hearer {
  /** The path of a stream that is read. */
  readonly path?: string
  /** A message for it, and its text. */
  told(told: Told, text: string): void
  /** The line is over. */
  lost(error: HeadwaterError): void
}

/** Who reads a stream of a line. */
export interface Follower extends Hearer {
  readonly path: string
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
  follow(follower: Follower, wish: Omit<Wish, "from"> & { from: string | undefined }): void
  /** Reads it no more. */
  leave(follower: Follower): void
  /** Ends it: the other side does not answer. */
  close(why: HeadwaterError): void
}

/** Whose session it is. */
export interface Owner {
  /** It is opened, is about to end, or has ended. */
  told(session: Session): void
  /** Access ends soon: another token is wanted. */
  expiring(session: Session): void
  /** The server said something. */
  beat(): void
  /** Ends it, if this is a tab that stood still so long that another one may have taken over. */
  stale(): void
}

export interface Session extends Line {
  heartbeat: number
  /** Why it is over. */
  ended: HeadwaterError | undefined
  /** Not when it is over, nor when the server said that it stops. */
  isUsable: boolean
  /** A page is seen again, or its network is back: whether the other side is still there. */
  doubt(): void
}

/** Says hello; `signal` ends it until that is answered. */
export function sessionOf(socket: Socket, hello: object, signal: AbortSignal, lines: Lines, owner: Owner): Promise<Session> {
  const { environment, retry, parts } = lines
  /** By what the server calls a stream; who waits for an answer, by what is less than 0 for its id. */
  const hearers = new Map<number, Hearer>()
  let next = 0
  let opened = false
  let heard = 0
  let disarm: (() => void) | undefined

  const quiet = (): number => environment.now() - heard
  const silent = (): void => self.close(new HeadwaterError("silent", `nothing came in ${quiet()} ms`))

  const end = (error: HeadwaterError): void => {
    if (self.ended) return
    self.ended = error
    self.isUsable = false
    disarm?.()
    const all = [...hearers.values()]
    hearers.clear()
    owner.told(self)
    for (const each of all) each.lost(error)
  }

  /** Whether it goes on; not behind a page that stood still. */
  const speaks = (): boolean => {
    owner.stale()
    return !self.ended
  }

  const begin = (hearer: Hearer, message: object, raw?: string): void => {
    if (!speaks()) return hearer.lost(self.ended as HeadwaterError)
    const id = ++next
    hearers.set(~id, hearer)
    const text = JSON.stringify({ id, ...message })
    socket.send(raw === undefined ? text : `${text.slice(0, -1)},"r":${raw}}`)
  }

  /** Asks when nothing was heard for a heartbeat, and ends it after two and a half. */
  const watch = (): void => {
    const { silence } = retry
    const beat = self.heartbeat || silence / BEATS
    const most = silence || beat * BEATS
    const arm = (ms: number): void => {
      disarm?.()
      disarm = environment.timer(ms, () => {
        const left = most - quiet()
        if (left <= 0) return silent()
        if (quiet() >= beat) self.say({ t: "ping" })
        arm(Math.min(beat, left))
      })
    }
    heard = environment.now()
    if (beat && !self.ended) arm(beat)
  }

  const hear = (told: Told, text: string): void => {
    const { t, id = t === "welcome" ? 0 : undefined, s } = told
    if (t === "ping") return self.say({ t: "pong" })
    if (t === "expiring") return owner.expiring(self)
    // The stream is let go because the server stops: `drain` is on its way, and nothing is begun here any more.
    if (t === "drain" || (told.why === "detached" && told.code === "stopping")) {
      self.isUsable = false
      owner.told(self)
    }
    if (t === "drain") {
      for (const each of [...hearers.values()]) if (each.path !== undefined) each.told(told, text)
      return
    }
    const name = id === undefined ? (s as number) : ~id
    const hearer = hearers.get(name)
    if (t === "end" || (id !== undefined && t !== "waiting")) hearers.delete(name)
    if (t === "sub" && hearer) hearers.set(s as number, hearer)
    hearer?.told(told, text)
  }

  const self: Session = {
    heartbeat: 0,
    ended: undefined,
    isUsable: true,
    say(message) {
      if (speaks() && socket.readyState === SOCKET_OPEN) socket.send(JSON.stringify(message))
    },
    ask: (message, raw) =>
      new Promise((resolve, lost) => {
        const told = (told: Told, text: string): void => {
          if (told.t === "err") load(parts.connectionRest).then(({ errorOf }) => lost(errorOf(told)), lost)
          // A record's own text is in that of its page.
          else resolve(Object.assign(told, { text }))
        }
        begin({ told, lost }, message, raw)
      }),
    follow: (follower, wish) => begin(follower, { t: "sub", path: follower.path, ...wish }),
    leave(follower) {
      for (const [name, each] of hearers) if (each === follower && hearers.delete(name)) self.say({ t: "unsub", path: follower.path })
    },
    close(why) {
      end(why)
      socket.close(1000)
    },
    doubt() {
      if (self.heartbeat && quiet() > self.heartbeat * TRUSTED_BEATS) silent()
    },
  }

  return new Promise<Session>((resolve, reject) => {
    const { connect } = retry
    const undo = [environment.timer(connect, () => self.close(new HeadwaterError("connect-timeout", `nothing came in ${connect} ms`)))]
    const over = (): void => {
      for (const each of undo) each()
    }
    hearers.set(~0, {
      told({ heartbeat = 0 }) {
        over()
        self.heartbeat = (heartbeat as number) * 1000
        watch()
        owner.told(self)
        resolve(self)
      },
      lost(error) {
        over()
        reject(error)
      },
    })
    socket.onopen = () => {
      opened = true
      watch()
      socket.send(JSON.stringify({ t: "hello", ...hello }))
    }
    socket.onmessage = ({ data }) => {
      if (!speaks()) return
      heard = environment.now()
      owner.beat()
      try {
        hear(parse(data), data)
      } catch (error) {
        self.close(error as HeadwaterError)
      }
    }
    socket.onclose = ({ code, reason }) => {
      self.isUsable = false
      if (code > 4399 && code < 4500) load(parts.connectionRest).then(({ refused }) => end(refused(code, reason, lines)), end)
      else end(new HeadwaterError("network", `${code} ${reason}`, { facts: { close: code, opened } }))
    }
    // It says nothing that `close` does not say as well.
    socket.onerror = () => undefined
    undo.push(onAbort(signal, self.close))
  })
}
