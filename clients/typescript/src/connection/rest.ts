/** What a connection needs now and then: other records than plain JSON, pages, gaps, ends, and what refusals say. */

import { type Codec, codecOf, placedOf } from "../codec.ts"
import { elementsOf } from "../elements.ts"
import type { Environment } from "../environment.ts"
import { HeadwaterError, passes } from "../errors.ts"
import { problemBy } from "../lazy.ts"
import { type Form, decodeText, fromBase64 } from "../records.ts"
import { senderOf } from "../request.ts"
import type { Attempt, Known, Offset, Wire, WireRecord } from "../transport.ts"
import type { Place } from "./cursor.ts"
import { type Feed, type Lines, type Listener, type Wish, place } from "./feed.ts"
import { type Told, isEnd, offsetsOf } from "./messages.ts"

export { Live } from "./live.ts"

/** The records of a `data` or a page. */
export function recordsOf(told: Told, text: string, form: Form, codec: Codec | undefined): WireRecord[] {
  const offsets = offsetsOf(told)
  const { at, by, b, r = [] } = told
  const more = (index: number): { offset: Offset; known?: Known } => ({
    offset: offsets[index] ?? "",
    ...(at && { known: { at: at[index], by: by?.[index] ?? undefined } }),
  })
  // Where messages are not JSON, all records are bytes.
  const rawOf = (data: string): string | Uint8Array => (form === "bytes" ? fromBase64(data) : decodeText(fromBase64(data)))
  if (b) return b.map((data, index) => Object.assign(placedOf(rawOf(data), "", codec), more(index)))
  if (form === "text") return r.map((value, index) => ({ raw: value as string, ...more(index) }))
  // It stands behind the offsets, in which there is no quotation mark, and before what an envelope tells.
  const parts = elementsOf(text.slice(text.indexOf('"r":[') + 4, at ? text.lastIndexOf(',"at":[') : text.lastIndexOf("]") + 1))
  return r.map((value, index) => ({ value, raw: parts[index]?.raw ?? "", ...more(index) }))
}

/** What an `err`, or an `end` by an error, says. */
export function errorOf(told: Told): HeadwaterError {
  const { status = 500, after, facts: more, code = "internal", message, advice } = told
  const detail = told.detail ?? message
  return new HeadwaterError(code, String(detail), {
    status,
    retryable: passes(status),
    retryAfter: after === undefined ? undefined : after * 1000,
    offset: more?.next_offset as string | undefined,
    facts: { ...more, code, detail, advice },
  })
}

/** Why the server closed a connection, by the code, which is 44xx for the status 4xx, and the reason, which begins with the code of the error table. */
export function refused(close: number, reason: string, { environment, retry, access }: Lines): HeadwaterError {
  const status = close - 4000
  const error = new HeadwaterError(/^[a-z][a-z-]*/.exec(reason)?.[0] ?? "refused", reason || `the server closed the connection: ${close}`, {
    status,
    // After the others it changes nothing to come back.
    retryable: !/^(40[013-6]|41[05])$/.test(String(status)),
    facts: { close },
  })
  // A token that is too old may be followed by a fresh one; one that is refused at once is not asked for again.
  const now = environment.now()
  if (status !== 401 || !access.isFresh || now - access.refusedAt < retry.stable) return error
  access.refusedAt = now
  return new HeadwaterError("network", "access has ended; another token will be shown", { cause: error })
}

/** Of an `end`, the status and what it says where the server does not. */
const ENDS: Record<string, [status: number, code: string, detail: string]> = {
  deleted: [404, "stream-not-found", "the stream was deleted"],
  forbidden: [403, "refused", "it may not be read any more"],
}

function endOf({ why = "", o: offset = "", code = "", message = "", after }: Told & { why?: string }): Wire {
  if (why === "closed") return { kind: "stream-closed", offset }
  if (why === "failed") return { kind: "stream-failed", offset, code, message }
  if (why === "detached") return { kind: "stream-detached", retry_after: after ?? 0, reason: why }
  if (why === "left") return { kind: "stream-detached", reason: why }
  const [status, usual, detail] = ENDS[why] ?? [500, "internal", ""]
  const isDeleted = status === 404
  return { kind: "stream-error", data: { status, code: (!isDeleted && code) || usual, detail: (!isDeleted && message) || detail } }
}

/** What a message tells a reader. */
export async function wireOf(place: Place, { codec }: Attempt, told: Told, text: string, form: Form): Promise<Wire> {
  const { t, from = "", to = "", o = to, why, after = 0, live } = told
  if (t === "waiting") return { kind: "stream-waiting" }
  if (t === "gap") return { kind: "stream-gap", from, to, offset: o, reason: why as string | undefined }
  if (t === "drain") return { kind: "stream-detached", retry_after: after, reason: "stopping" }
  if (t === "err") return { kind: "stream-error", data: errorOf(told) }
  if (t === "end") return endOf(told)
  place.codec ??= await codecOf(codec)
  return { kind: "records", records: recordsOf(told, text, form, place.codec), offset: o, upToDate: live === true }
}

/** Tells one who comes to a feed what all others know. */
export function greet({ opened, waiting, position, isLive }: Feed, listener: Listener): void {
  if (opened) {
    listener.told({ ...opened, from: position }, "", position, listener.wish.from === "now")
    if (isLive) listener.told({ t: "live", o: position }, "", position, false)
  } else if (waiting) listener.told(waiting, "", position, false)
}

/** Another one listens to a feed: to what is subscribed to, or to what all of them can have together. */
export function join(feed: Feed, listener: Listener): void {
  const known = feed.wish as Wish
  const { wish } = listener
  const live = known.presence || wish.presence
  const envelope = known.envelope || wish.envelope
  const atTail = feed.isLive || feed.wasLive || place(known) === "now"
  const elsewhere = !atTail && place(wish) !== place(known) && wish.from !== feed.position
  if (elsewhere || live !== known.presence || envelope !== known.envelope) {
    const from = elsewhere || !feed.opened ? "now" : feed.position
    feed.subscribe({ ...known, from, last: undefined, signals: live, presence: live, envelope, missing: known.missing ?? wish.missing })
  } else greet(feed, listener)
}

/** What a call gives, within a time. */
function limited<R>(environment: Environment, ms: number, call: Promise<R>): Promise<R> {
  let disarm: (() => void) | undefined
  const late = new Promise<never>((_, reject) => {
    disarm = environment.timer(ms, () => reject(new HeadwaterError("silent", `nothing came in ${ms} ms`)))
  })
  return Promise.race([call, late]).finally(() => disarm?.())
}

/** Reads the next page of one that is behind what is told. */
export async function catchUp(self: Place, feed: Feed, lines: Lines, attempt: Attempt): Promise<void> {
  const { wish, last } = self
  const from = self.reached as Offset

  /** Whether it is where others are: then it is told what comes, like them. */
  const meet = (atTail: boolean): void => {
    const to = self.end && isEnd(self.end) ? (self.end.o ?? "") : feed.opened && feed.position
    self.isBehind = to ? (self.reached as Offset) < to : !atTail
    self.counts()
  }

  const to = feed.position
  if (wish.slow === "latest" && last === undefined && feed.opened && from < to) {
    self.put({ t: "gap", from, to, why: "slow" }, "", 0, to)
    return meet(true)
  }
  const read = async (): Promise<Told> => {
    const { window: bytes, envelope } = wish
    const line = await lines.line(undefined, attempt.signal)
    const message = { t: "read", path: feed.path, bytes, envelope, ...(last === undefined ? { from } : { last }) }
    return limited(attempt.environment, attempt.retry.connect, line.ask(message))
  }
  const told = await read()
  const { o = from, live, text } = told
  self.last = undefined
  if (told.r?.length || told.b?.length) self.put(told, text as string, 0, o)
  else {
    if (!live && o <= from) throw new HeadwaterError("bad-answer", "a page has nothing, and is not the last one")
    self.reached = o
    if (live) self.put({ t: "live", o })
  }
  if (told.closed) self.end ??= { ...told, t: "end", why: told.code ? "failed" : "closed" }
  meet(live === true)
}

/** Why a handshake was refused, of which a page is not told; a plain request is: 426, if nothing is wrong. */
export async function whyNot(url: string, own: typeof fetch | undefined, { environment, retry, parts }: Lines, error: HeadwaterError): Promise<HeadwaterError> {
  const { response, release } = await senderOf(own ? { fetch: own } : {}, environment).send({ url, limit: retry.connect })
  const refused = response.status === 426 ? error : await problemBy(parts)(response)
  release()
  return refused
}
