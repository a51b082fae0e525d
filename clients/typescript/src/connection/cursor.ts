/**
 * A reader's place in a stream of a connection: its transport.
 *
 * Rule 1: what was told and not taken is in the queue, which has no hole. What the consumer is done with is credit for more.
 * Rule 2: who is behind what is told reads pages, one when it is asked for, until both meet; then it is told again.
 */

import { type Codec, codecOf } from "../codec.ts"
import { HeadwaterError } from "../errors.ts"
import { formOf } from "../records.ts"
import { onAbort } from "../signals.ts"
import { BUFFER } from "../limits.ts"
import type { Attempt, Offset, Transport, Wire } from "../transport.ts"
import type { Feed, Lines, Listener, Wish } from "./feed.ts"
import { type Told, errorOf, recordsOf } from "./messages.ts"

interface Piece {
  wire: Wire
  size: number
  /** Up to which of the feed's bytes it is; 0: nothing that counts. */
  mark: number
}

class Cursor implements Listener {
  readonly wish: Wish
  readonly who: unknown
  #feed: Feed
  #lines: Lines
  #attempt: Attempt
  #codec: Codec | undefined
  #queue: Piece[] = []
  #size = 0
  /** Behind what is in the queue, or was taken; undefined: it is not known yet. */
  #reached: Offset | undefined
  #mark: number | undefined
  #isBehind = false
  /** So many of the newest records are what it begins with. */
  #last: number | undefined
  #type = ""
  #end: Wire | undefined
  #lost: HeadwaterError | undefined
  #ready: (() => void) | undefined
  #fail!: (error: HeadwaterError) => void
  #failed: Promise<never> = new Promise((_, reject) => (this.#fail = reject))

  constructor(feed: Feed, lines: Lines, attempt: Attempt, who: unknown, codec: Codec | undefined) {
    this.who = who
    this.#codec = codec
    const { from, last, slow, missing, envelope, buffer = BUFFER } = attempt
    this.wish = { from: from === "start" ? "-1" : from, last, slow, wait: missing === "wait", envelope, buffer }
    this.#feed = feed
    this.#lines = lines
    this.#attempt = attempt
    this.#failed.catch(() => undefined)
  }

  get mark(): number | undefined {
    return this.#isBehind ? undefined : this.#mark
  }

  /** The next thing that was told; throws what ended it, behind what had come. */
  async next(): Promise<Wire> {
    for (;;) {
      const first = this.#queue[0]
      if (first) return first.wire
      if (this.#end && (!isEnd(this.#end) || !this.#isBehind)) return this.#end
      if (this.#isBehind) await this.#catchUp()
      else if (this.#lost) throw this.#lost
      else {
        this.#feed.starve()
        await new Promise<void>((resolve) => (this.#ready = resolve))
      }
    }
  }

  /** The consumer asks for more: it is done with the first one. */
  taken(): void {
    const first = this.#queue.shift()
    if (!first) return
    this.#size -= first.size
    if (!first.mark) return
    this.#mark = first.mark
    this.#feed.settle()
  }

  letGo(): void {
    this.#isBehind = true
  }

  lost(error: HeadwaterError): void {
    this.#lost ??= error
    this.#fail(error)
    this.#ready?.()
  }

  told(told: Told, text: string, from: Offset, mine: boolean): void {
    switch (told.t) {
      case "sub":
        this.#begin(told, mine)
        break
      case "waiting":
        if (this.wish.wait) this.#put({ kind: "stream-waiting" })
        // It says whether there is one.
        else this.#behind(this.wish.from)
        break
      case "data":
        if (this.#follows(from)) this.#records(told, text, this.#feed.got)
        break
      case "live":
        if (!this.#isBehind) this.#put({ kind: "up-to-date", ...(told.o ? { offset: told.o } : {}) })
        break
      case "gap":
        this.#gap(told, from)
        break
      case "drain":
        this.#end ??= { kind: "stream-detached", retry_after: told.after ?? 0, reason: "stopping" }
        break
      case "err":
        if (told.id !== undefined) this.#end ??= { kind: "stream-error", data: errorOf(told) }
        break
      case "end":
        this.#end ??= endOf(told)
        // What is between is kept, and the end stands behind it.
        if (isEnd(this.#end)) this.#follows(told.o ?? "")
    }
    this.#ready?.()
  }

  #begin(told: Told, mine: boolean): void {
    const { from = "", type } = told
    this.#type = type ?? ""
    if (this.#reached !== undefined) return void this.#follows(from)
    const { wish } = this
    this.#reached = mine || wish.from === "now" ? from : wish.from
    if (!mine) this.#last = wish.last
    // Also who seems to be ahead: the server says whether there is such a place.
    this.#isBehind = this.#last !== undefined || this.#reached !== from
    this.#mark = this.#feed.got
    this.#put({ kind: "open", ...(type ? { type } : {}) })
  }

  /** Whether what begins there goes on where this one stands. */
  #follows(from: Offset): boolean {
    if (this.#reached === undefined) return false
    const full = this.#size > this.wish.buffer * 2
    if (full || from > this.#reached) this.#isBehind = true
    return !this.#isBehind
  }

  #behind(from: Offset): void {
    this.#reached ??= from
    this.#isBehind = true
  }

  #gap(told: Told, from: Offset): void {
    const { to = "", o = to, why } = told
    const mine = why !== "slow" || (this.wish.slow ?? "replay") !== "replay"
    // What another one wants to be left out is read.
    if (!mine) this.#follows(o)
    else if (this.#follows(from)) this.#leap(told.from ?? from, to, why as string | undefined, o)
  }

  /** `offset`: where the server goes on. */
  #leap(from: Offset, to: Offset, reason: string | undefined, offset: Offset = to): void {
    this.#put({ kind: "stream-gap", from, to, offset, reason })
    this.#reached = offset
  }

  #records(told: Told, text: string, mark: number): void {
    const records = recordsOf(told, text, formOf(this.#type), this.#codec)
    const { o = "" } = told
    this.#put({ kind: "records", records, offset: o, upToDate: told.t === "page" && told.live === true }, text.length, mark)
    this.#reached = o
  }

  #put(wire: Wire, size = 0, mark = 0): void {
    this.#queue.push({ wire, size, mark })
    this.#size += size
  }

  async #catchUp(): Promise<void> {
    const { slow, buffer, envelope } = this.wish
    const { signal, retry } = this.#attempt
    if (this.#lost) throw this.#lost
    const from = this.#reached as Offset
    const feed = this.#feed
    if (slow === "latest" && this.#last === undefined && feed.opened && from < feed.position) {
      this.#leap(from, feed.position, "slow")
      return this.#meet(true)
    }
    const place = this.#last === undefined ? { from } : { last: this.#last }
    const read = async (): Promise<Told> => {
      const line = await this.#lines.line(undefined, signal)
      return this.#lines.limited(retry.connect, line.ask({ t: "read", path: feed.path, bytes: buffer, envelope, ...place }))
    }
    const told = await Promise.race([read(), this.#failed])
    this.#last = undefined
    if (told.r?.length || told.b?.length) this.#records(told, told.text as string, 0)
    else {
      if (!told.live && (told.o ?? "") <= from) throw new HeadwaterError("bad-answer", "a page has nothing, and is not the last one")
      this.#reached = told.o ?? from
      if (told.live) this.#put({ kind: "up-to-date", offset: this.#reached })
    }
    if (told.closed) this.#end ??= endOf({ ...told, why: told.code ? "failed" : "closed" })
    this.#meet(told.live === true)
  }

  /** Whether it is where others are: then it is told what comes, like them. */
  #meet(atTail: boolean): void {
    const to = this.#end && isEnd(this.#end) ? this.#end.offset : this.#feed.opened && this.#feed.position
    this.#isBehind = to ? (this.#reached as Offset) < to : !atTail
    this.#mark = this.#feed.got
  }
}

type End = Extract<Wire, { kind: "stream-closed" | "stream-failed" }>

/** Whether it is the end of the stream, and not only of what is told. */
const isEnd = (wire: Wire): wire is End => wire.kind === "stream-closed" || wire.kind === "stream-failed"

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
      return { kind: "stream-error", data: { status: 404, code: "stream-not-found", detail: "the stream was deleted" } }
    case "forbidden":
      return { kind: "stream-error", data: { status: 403, code: code || "refused", detail: message || "it may not be read any more" } }
    case "left":
      return { kind: "stream-detached", reason: why }
    default:
      return { kind: "stream-error", data: { status: 500, code: code || "internal", detail: message } }
  }
}

async function* open(feed: Feed, lines: Lines, attempt: Attempt, who: unknown): AsyncGenerator<Wire, void, undefined> {
  const { signal } = attempt
  attempt.sent()
  const cursor = new Cursor(feed, lines, attempt, who, await codecOf(attempt.codec))
  const ignore = onAbort(signal, (why) => cursor.lost(why))
  if (!signal.aborted) feed.attach(cursor)
  try {
    for (;;) {
      yield await cursor.next()
      cursor.taken()
    }
  } finally {
    ignore()
    feed.detach(cursor)
  }
}

export const overConnection = (feed: () => Feed, lines: Lines): Transport => {
  const transport: Transport = { name: "websocket", open: (attempt) => open(feed(), lines, attempt, transport) }
  return transport
}
