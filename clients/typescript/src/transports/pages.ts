/** Answers that end: long-poll, and catch-up page by page. */

import { HeadwaterError } from "../errors.ts"
import { type Raw, decodeText, formOf, splitArray } from "../records.ts"
import { type Answer, type Requester, networkError, problemOf } from "../request.ts"
import type { Attempt, Transport, Wire } from "../transport.ts"
import { batchOf } from "./live-sse.ts"
import { endOf } from "./control.ts"
import { badAnswer, urlOf } from "./live.ts"

/** Milliseconds a server may hold a long-poll, beyond the time any head may take. */
const HELD = 60_000

async function bodyOf(answer: Answer, attempt: Attempt): Promise<Uint8Array> {
  const limit = attempt.retry.silence || HELD
  const disarm = attempt.environment.timer(limit, () => answer.abort(new HeadwaterError("silent", "the answer does not end")))
  try {
    return new Uint8Array(await answer.response.arrayBuffer())
  } catch (error) {
    throw answer.why() ?? networkError(error)
  } finally {
    disarm()
  }
}

/** The records of one page, as far as its type keeps them apart. */
function recordsOf(bytes: Uint8Array, type: string): Raw[] {
  const form = formOf(type)
  if (!bytes.length && form === "json") throw new HeadwaterError("truncated", "the page is empty")
  if (!bytes.length) return []
  if (form === "bytes") return [bytes]
  const text = decodeText(bytes)
  if (form === "text") return [text]
  try {
    return splitArray(text)
  } catch (error) {
    const code = text.trimEnd().endsWith("]") ? "bad-answer" : "truncated"
    throw new HeadwaterError(code, `the page cannot be read: ${String(error)}`, { cause: error })
  }
}

interface Page {
  wires: Wire[]
  offset: string
  moved: boolean
  upToDate: boolean
  cursor: string | null
}

async function page(
  requester: Requester,
  url: string,
  attempt: Attempt,
  cursor: string | null,
  tail: boolean,
): Promise<Page> {
  // History without waiting: caches may have it, and a head that does not come is noticed.
  const polls = attempt.live && (tail || attempt.wait)
  const query: Record<string, string> = polls ? { live: "long-poll" } : {}
  if (cursor !== null) query.cursor = cursor
  attempt.sent()
  const answer = await requester.send({
    url: urlOf(url, polls ? attempt : { ...attempt, slow: undefined, wait: false }, query),
    signal: attempt.signal,
    limit: attempt.retry.connect + (polls ? HELD : 0),
  })
  try {
    const { response } = answer
    if (!response.ok) throw await problemOf(response)
    const offset = response.headers.get("stream-next-offset")
    if (offset === null) throw badAnswer(response, "a page of a stream")
    const type = response.headers.get("content-type") ?? attempt.type ?? ""
    const raws = response.status === 204 ? [] : recordsOf(await bodyOf(answer, attempt), type)
    return toPage(response, attempt, offset, raws, type)
  } finally {
    answer.release()
  }
}

function toPage(response: Response, attempt: Attempt, offset: string, raws: Raw[], type: string): Page {
  const { headers } = response
  const atTail = headers.get("stream-up-to-date") === "true" || response.status === 204
  const closed = atTail && headers.get("stream-closed") === "true"
  const upToDate = atTail && !closed
  const wires: Wire[] = []
  if (raws.length) {
    const records = batchOf(raws, attempt.from, offset)
    wires.push({ kind: "records", records, offset, single: false, upToDate, type })
  } else wires.push(upToDate ? { kind: "up-to-date", offset } : { kind: "beat" })
  if (closed) wires.push(endOf(headers, offset))
  const moved = offset !== attempt.from
  return { wires, offset, moved: raws.length > 0 && moved, upToDate: atTail, cursor: headers.get("stream-cursor") }
}

/** Page behind page while they bring something; an empty one ends the attempt, as the server planned it. */
async function* follow(requester: Requester, url: string, attempt: Attempt): AsyncGenerator<Wire, void, undefined> {
  let from = attempt.from
  let last = attempt.last
  let cursor: string | null = null
  // What came back at an offset stands at the tail, as far as it knows.
  let tail = from === "now"
  for (;;) {
    const told = await page(requester, url, { ...attempt, from, last }, cursor, tail)
    yield { kind: "open" }
    yield* told.wires
    if (tail && !told.moved) break
    tail = told.upToDate
    from = told.offset
    last = undefined
    cursor = told.cursor
  }
  yield { kind: "detached" }
}

export const longPoll = (requester: Requester, url: string): Transport => ({
  name: "long-poll",
  open: (attempt: Attempt) => follow(requester, url, attempt),
})
