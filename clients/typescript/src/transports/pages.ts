/** Answers that end: long-poll, and catch-up page by page. */

import { bodyOf } from "../body.ts"
import { codecOf } from "../codec.ts"
import { HeadwaterError } from "../errors.ts"
import { joined } from "../bodies.ts"
import { elementsOf } from "../elements.ts"
import { decodeText, formOf } from "../records.ts"
import type { Answer, Requester } from "../request.ts"
import type { Attempt, TransportFactory, Wire, WireRecord } from "../transport.ts"
import { badAnswer, unreadable } from "../refusals.ts"
import { apart, splitOf } from "./apart.ts"
import { endOf } from "./ends.ts"
import { get } from "./live.ts"

/** Milliseconds a server may hold a long-poll, beyond the time any head may take. */
const HELD = 60_000

/** The body as a whole. */
async function wholeOf(answer: Answer, { environment, retry }: Attempt): Promise<Uint8Array> {
  const body = bodyOf(answer, environment, retry.silence)
  const chunks: Uint8Array[] = []
  try {
    for (let chunk = await body.read(); chunk; chunk = await body.read()) chunks.push(chunk)
    return joined(chunks)
  } finally {
    body.release()
  }
}

/** What a stream's last page had that was too short, where a script cannot see whether it came compressed. */
const doubts = new WeakMap<Requester, string>()

/**
 * WebKitGTK takes less than was promised for all of it, and Firefox does so with HTTP/1.0. What is compressed has another length;
 * of another origin a page is not told that it is, so the same that comes twice is what the server has.
 */
function checkLength({ headers, type, url }: Response, { length }: Uint8Array, requester: Requester): void {
  const short = length < Number(headers.get("content-length")) && !headers.has("content-encoding")
  const doubt = url + length
  if (!short || (type === "cors" && doubts.get(requester) === doubt)) return
  doubts.set(requester, doubt)
  throw new HeadwaterError("truncated", "it was cut")
}

/** The records of one page, as far as its type keeps them apart. */
async function recordsOf(bytes: Uint8Array, type: string, attempt: Attempt): Promise<WireRecord[]> {
  const form = formOf(type)
  if (form === "bytes") return apart(bytes, await splitOf(type, attempt), await codecOf(attempt.codec))
  const raw = decodeText(bytes)
  if (form === "text") return raw ? [{ raw }] : []
  try {
    return elementsOf(raw)
  } catch (cause) {
    throw unreadable(cause, /]\s*$/.test(raw) ? "bad-answer" : "truncated")
  }
}

/** Page behind page while they bring something; an empty one ends the attempt, as the server planned it. */
async function* follow(requester: Requester, url: string, attempt: Attempt): AsyncGenerator<Wire, void, undefined> {
  const { live, missing } = attempt
  let { from, last } = attempt
  let cursor: string | undefined
  // What came back at an offset stands at the tail, as far as it knows.
  let tail = from === "now"
  for (;;) {
    // History without waiting: caches may have it, and a head that does not come is noticed.
    const polls = live && (tail || missing === "wait")
    const place = { ...attempt, from, last, ...(polls ? {} : { slow: undefined, missing: undefined }) }
    const answer = await get(requester, url, place, { live: polls ? "long-poll" : undefined, cursor }, undefined, polls ? HELD : 0)
    const { response } = answer
    const { headers, status } = response
    const offset = headers.get("stream-next-offset")
    if (offset === null) {
      answer.release()
      throw badAnswer(response, "a page of a stream")
    }
    const bytes = await wholeOf(answer, attempt)
    if (status !== 204) checkLength(response, bytes, requester)
    const type = headers.get("content-type") ?? attempt.type ?? ""
    const records = status === 204 ? [] : await recordsOf(bytes, type, attempt)
    const atTail = headers.get("stream-up-to-date") === "true" || status === 204
    const closed = atTail && headers.get("stream-closed") === "true"
    const upToDate = atTail && !closed
    yield { kind: "open", type }
    if (records.length) yield { kind: "records", records, offset, upToDate }
    else yield upToDate ? { kind: "up-to-date", offset } : { kind: "beat" }
    if (closed) yield endOf(headers, offset)
    if (tail && (!records.length || offset === from)) break
    tail = atTail
    from = offset
    last = undefined
    cursor = headers.get("stream-cursor") ?? undefined
  }
  yield { kind: "stream-detached" }
}

export const longPoll: TransportFactory = (requester, url) => ({
  name: "long-poll",
  open: (attempt) => follow(requester, url, attempt),
})
