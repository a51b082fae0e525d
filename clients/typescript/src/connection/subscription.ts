/**
 * A stream that is read on a connection: the transport of a reader.
 *
 * Rule: what was told and not taken is in the queue, and the server sends no more than the window. What the consumer
 * is done with is acknowledged when it is half of the window, or after a second.
 */

import { HeadwaterError, refusal } from "../errors.ts"
import { formOf } from "../records.ts"
import { onAbort } from "../signals.ts"
import { type Attempt, BUFFER, type Offset, type Transport, type Wire } from "../transport.ts"
import { type Told, errorOf, recordsOf } from "./messages.ts"
import type { Follower, Session } from "./session.ts"

const ACK_MS = 1000

/** Where sessions come from. */
export interface Sessions {
  /** One that does not read this path yet. */
  session(path: string | undefined, signal?: AbortSignal): Promise<Session>
}

interface Waiting {
  wire: Wire
  size: number
}

class Subscription implements Follower {
  readonly path: string
  #session: Session
  #attempt: Attempt
  #number: number | undefined
  #type: string | undefined
  #queue: Waiting[] = []
  #lost: HeadwaterError | undefined
  #ready: (() => void) | undefined
  /** Bytes that the consumer is done with and the server does not know of. */
  #done = 0
  #offset: Offset | undefined
  #disarm: (() => void) | undefined

  constructor(path: string, session: Session, attempt: Attempt) {
    this.path = path
    this.#session = session
    this.#attempt = attempt
  }

  begin(): void {
    const { from, last, slow, missing, buffer = BUFFER, retry, environment } = this.#attempt
    this.#disarm = environment.timer(retry.connect, () => {
      // Whoever does not answer this answers nobody.
      this.#session.close(new HeadwaterError("silent", `there was no answer within ${retry.connect} ms`))
    })
    this.#session.follow(this, {
      ...(last === undefined ? { from: from === "start" ? "-1" : from } : { last }),
      ...(slow === undefined ? {} : { slow }),
      ...(missing === "wait" ? { missing } : {}),
      window: buffer,
    })
  }

  /** The next thing that was told; throws what ended it, behind what had come. */
  async next(): Promise<Wire> {
    while (!this.#queue.length) {
      if (this.#lost) throw this.#lost
      await new Promise<void>((resolve) => (this.#ready = resolve))
    }
    return (this.#queue[0] as Waiting).wire
  }

  /** The consumer asks for more: it is done with the first one. */
  taken(): void {
    const first = this.#queue.shift()
    if (first?.wire.kind !== "records") return
    this.#done += first.size
    this.#offset = first.wire.offset
    if (this.#done * 2 >= (this.#attempt.buffer ?? BUFFER)) this.#acknowledge()
    else this.#disarm ??= this.#attempt.environment.timer(ACK_MS, () => this.#acknowledge())
  }

  leave(): void {
    this.#disarm?.()
    this.#session.leave(this)
  }

  told(told: Told, text: string): void {
    if (this.#number === undefined) {
      this.#disarm?.()
      this.#disarm = undefined
    }
    const wire = this.#wireOf(told, text)
    if (!wire) return
    this.#queue.push({ wire, size: text.length })
    this.#ready?.()
  }

  lost(error: HeadwaterError): void {
    this.#lost ??= error
    this.#ready?.()
  }

  #acknowledge(): void {
    this.#disarm?.()
    this.#disarm = undefined
    this.#done = 0
    if (this.#number !== undefined && this.#offset) this.#session.say({ t: "ack", s: this.#number, o: this.#offset })
  }

  #wireOf(told: Told, text: string): Wire | null {
    switch (told.t) {
      case "sub":
        this.#number = told.s
        this.#type = told.type
        return { kind: "open", ...(told.type ? { type: told.type } : {}) }
      case "waiting":
        return { kind: "stream-waiting" }
      case "data": {
        const records = recordsOf(told, text, formOf(this.#type ?? ""))
        return { kind: "records", records, offset: told.o ?? "", upToDate: false }
      }
      case "live":
        return { kind: "up-to-date", ...(told.o ? { offset: told.o } : {}) }
      case "gap":
        return { kind: "stream-gap", from: told.from ?? "", to: told.to ?? "", offset: told.o ?? told.to ?? "", reason: told.why as string | undefined }
      case "signal":
      case "presence":
        return { kind: `stream-${told.t}` as const, data: told }
      case "drain":
        return { kind: "stream-detached", retry_after: told.after ?? 0, reason: "stopping" }
      case "err":
        return { kind: "stream-error", error: errorOf(told) }
      default:
        return endOf(told)
    }
  }
}

function endOf(told: Told): Wire {
  const { why, o: offset = "", code = "", message = "" } = told
  switch (why) {
    case "closed":
      return { kind: "stream-closed", offset }
    case "failed":
      return { kind: "stream-failed", offset, code, message }
    case "detached":
      return { kind: "stream-detached", retry_after: told.after ?? 0, reason: why }
    case "deleted":
      return { kind: "stream-error", error: refusal(404, { code: "stream-not-found", detail: "the stream was deleted" }) }
    case "forbidden":
      return { kind: "stream-error", error: refusal(403, { code: code || "refused", detail: message || "it may not be read any more" }) }
    case "left":
      return { kind: "stream-detached", reason: why }
    default:
      return { kind: "stream-error", error: refusal(500, { code: code || "internal", detail: message }) }
  }
}

async function* open(sessions: Sessions, path: string, attempt: Attempt): AsyncGenerator<Wire, void, undefined> {
  attempt.sent()
  const session = await sessions.session(path, attempt.signal)
  const subscription = new Subscription(path, session, attempt)
  const ignore = onAbort(attempt.signal, (why) => subscription.lost(why))
  subscription.begin()
  try {
    for (;;) {
      yield await subscription.next()
      subscription.taken()
    }
  } finally {
    ignore()
    subscription.leave()
  }
}

export const overConnection = (sessions: Sessions, path: string): Transport => ({
  name: "websocket",
  open: (attempt) => open(sessions, path, attempt),
})
