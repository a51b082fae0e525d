/**
 * A reader's place in a stream of a connection: its transport.
 *
 * Rule 1: what was told and not taken is in the queue, which has no hole. What the consumer is done with is credit for more.
 * Rule 2: who is behind what is told reads pages, one when it is asked for, until both meet; then it is told again.
 *
 * What JSON brings as long as nothing is wrong is here; `rest.ts` has pages, other records, gaps and ends.
 */

import type { Codec } from "../codec.ts"
import type { HeadwaterError } from "../errors.ts"
import { load } from "../lazy.ts"
import { BUFFER } from "../limits.ts"
import { formOf } from "../records.ts"
import { onAbort } from "../signals.ts"
import type { Attempt, Offset, Transport, Wire } from "../transport.ts"
import type { Feed, Lines, Listener, Wish } from "./feed.ts"
import { type Told, isEnd, isOver, plainRecords } from "./messages.ts"

/** A message that waits to be taken. */
interface Piece {
  readonly told: Told
  readonly text: string
  /** Up to which of the feed's bytes it is; 0: nothing that counts. */
  readonly mark: number
}

/** What reading pages needs of a cursor. */
export interface Place {
  readonly wish: Wish
  /** Behind what is in the queue, or was taken; undefined: it is not known yet. */
  reached: Offset | undefined
  /** So many of the newest records are what it begins with. */
  last: number | undefined
  isBehind: boolean
  codec?: Codec | undefined
  /** The message that is the end of what is told. */
  end: Told | undefined
  /** `to`: where it stands behind that. */
  put(told: Told, text?: string, mark?: number, to?: Offset): void
  /** Takes part in the credit again, from here on. */
  counts(): void
}

async function* open(feed: Feed, lines: Lines, attempt: Attempt, who: unknown): AsyncGenerator<Wire, void, undefined> {
  const { from: start, last, slow, missing, envelope, buffer: window = BUFFER, signal } = attempt
  attempt.sent()
  const wish: Wish = { from: start === "start" ? "-1" : start, last, slow, missing: missing === "wait" ? missing : undefined, envelope: envelope || undefined, window }
  const queue: Piece[] = []
  let size = 0
  let mark: number | undefined
  let type = ""
  let gone: HeadwaterError | undefined
  let ready: (() => void) | undefined
  let fail: (error: HeadwaterError) => void
  const failed = new Promise<never>((_, reject) => (fail = reject))
  failed.catch(() => undefined)

  const later = (): ReturnType<typeof lines.parts.connectionRest> => load(lines.parts.connectionRest)

  /** Whether what begins there goes on where this one stands. */
  const follows = (from: Offset): boolean => {
    if (self.reached === undefined) return false
    if (size > window * 2 || from > self.reached) self.isBehind = true
    return !self.isBehind
  }

  const self: Place & Listener = {
    wish,
    who,
    reached: undefined,
    last: undefined,
    isBehind: false,
    end: undefined,
    get mark() {
      return self.isBehind ? undefined : mark
    },
    put(told, text = "", at = 0, to = self.reached) {
      queue.push({ told, text, mark: at })
      self.reached = to
      size += text.length
    },
    counts: () => (mark = feed.got),
    letGo: () => (self.isBehind = true),
    lost(error) {
      fail((gone ??= error))
      ready?.()
    },
    told(told, text, from, mine) {
      const { t, why, o = "" } = told
      if (t === "sub") {
        const { from: place = "" } = told
        type = told.type ?? ""
        if (self.reached !== undefined) follows(place)
        else {
          // Also who seems to be ahead reads pages: the server says whether there is such a place.
          self.put(told)
          self.reached = mine || wish.from === "now" ? place : wish.from
          if (!mine) self.last = wish.last
          self.isBehind = self.last !== undefined || self.reached !== place
          self.counts()
        }
      } else if (t === "waiting" && !wish.missing) {
        // A page says whether there is one.
        self.reached ??= wish.from
        self.isBehind = true
      } else if (t === "data") {
        if (follows(from)) self.put(told, text, feed.got, o)
      } else if (t === "gap") {
        const { to = "", o = to } = told
        // What another one wants to be left out is read.
        if (why === "slow" && (wish.slow ?? "replay") === "replay") follows(o)
        else if (follows(from)) self.put({ from, ...told }, "", 0, o)
      } else if (isOver(told)) {
        self.end ??= told
        // What is between is kept, and the end stands behind it.
        if (isEnd(told)) follows(o)
      } else if (/^(live|waiting)$/.test(t) && !self.isBehind) self.put(told)
      ready?.()
    },
  }

  const wireOf = async ({ told, text }: Pick<Piece, "told" | "text">): Promise<Wire> => {
    const { t, o: offset } = told
    if (t === "sub") return { kind: "open", type }
    if (t === "live") return { kind: "up-to-date", offset } as Wire
    const records = t === "data" && formOf(type) === "json" && plainRecords(told, text)
    if (records) return { kind: "records", records, offset: offset as Offset, upToDate: false }
    return (await later()).wireOf(self, attempt, told, text, formOf(type))
  }

  const ignore = onAbort(signal, self.lost)
  // Whoever comes second has more to see to.
  const rest = feed.wish && (await later())
  if (!signal.aborted) feed.attach(self, rest)
  try {
    for (;;) {
      const first = queue[0]
      if (first) {
        yield await wireOf(first)
        // The consumer asks for more: it is done with the first one.
        queue.shift()
        size -= first.text.length
        if (first.mark) {
          mark = first.mark
          feed.settle()
        }
      } else if (self.end && !(isEnd(self.end) && self.isBehind)) {
        yield await wireOf({ told: self.end, text: "" })
      } else if (gone) throw gone
      else if (self.isBehind) await Promise.race([later().then((rest) => rest.catchUp(self, feed, lines, attempt)), failed])
      else {
        feed.starve()
        await new Promise<void>((resolve) => (ready = resolve))
      }
    }
  } finally {
    ignore()
    feed.detach(self)
  }
}

export const overConnection = (feed: () => Feed, lines: Lines): Transport => {
  const transport: Transport = { name: "websocket", open: (attempt) => open(feed(), lines, attempt, transport) }
  return transport
}
