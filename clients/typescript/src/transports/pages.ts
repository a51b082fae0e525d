/** Answers that end: long-poll, and catch-up page by page. */

import { HeadwaterError } from "../errors.ts"
import { type Raw, decodeText, formOf, splitArray } from "../records.ts"
import { type Answer, type Requester, networkError, problemOf } from "../request.ts"
import type { Attempt, Transport, Wire } from "../transport.ts"
import { batchOf } from "./live-sse.ts"
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
  if (!bytes.length) return []
  const form = formOf(type)
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
  more: boolean
  cursor: string | null
}

async function page(requester: Requester, url: string, attempt: Attempt, cursor: string | null): Promise<Page> {
  const query: Record<string, string> = attempt.live ? { live: "long-poll" } : {}
  if (cursor !== null) query.cursor = cursor
  attempt.sent()
  const answer = await requester.send({
    url: urlOf(url, attempt, query),
    signal: attempt.signal,
    limit: attempt.retry.connect + (attempt.live ? HELD : 0),
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
  const code = headers.get("stream-failure")
  const closed = atTail && headers.get("stream-closed") === "true"
  const upToDate = atTail && !closed
  const wires: Wire[] = []
  if (raws.length) {
    const records = batchOf(raws, attempt.from, offset)
    wires.push({ kind: "records", records, offset, single: false, upToDate, type })
  } else wires.push(upToDate ? { kind: "up-to-date", offset } : { kind: "beat" })
  if (closed && code !== null) {
    const message = decodeURIComponent(headers.get("stream-failure-message") ?? "")
    wires.push({ kind: "end", end: "failed", offset, code, message })
  } else if (closed) wires.push({ kind: "end", end: "closed", offset })
  return { wires, offset, more: raws.length > 0 && offset !== attempt.from, cursor: headers.get("stream-cursor") }
}

/** Page behind page while they bring something; an empty one ends the attempt, as the server planned it. */
async function* follow(requester: Requester, url: string, attempt: Attempt): AsyncGenerator<Wire, void, undefined> {
  let from = attempt.from
  let last = attempt.last
  let cursor: string | null = null
  for (;;) {
    const told = await page(requester, url, { ...attempt, from, last, sent: attempt.sent }, cursor)
    yield { kind: "open" }
    yield* told.wires
    if (!told.more) break
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
