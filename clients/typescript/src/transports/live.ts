/** What the live answers over fetch have in common: one GET, its head looked at, its body pulled. */

import { bodyOf } from "../body.ts"
import type { Environment } from "../environment.ts"
import { HeadwaterError } from "../errors.ts"
import { load } from "../lazy.ts"
import { QUIET } from "../limits.ts"
import { type Answer, type Fields, type Requester, ask, fill } from "../request.ts"
import type { Attempt, Offset, Transport, TransportFactory, Wire, WireRecord } from "../transport.ts"

export type Parser = (chunk: Uint8Array, into: Wire[]) => void

/** What takes a format's bytes and puts down what they tell. */
export interface Format {
  readonly name: string
  /** What the request asks for. */
  readonly accept: string
  /** What goes into the query beside the place. */
  readonly query: Fields
  /** It does not say where the tail is: a moment of silence does. */
  readonly tailless?: boolean
  /** A parser for one answer. */
  parser(response: Response, attempt: Attempt): Parser | Promise<Parser>
}

/** The URL with what the attempt asks for; `start` and `now` in the protocol's words. */
export function urlOf(base: string, { last, from, slow, missing }: Attempt, query: Fields): string {
  const url = new URL(base)
  const place = last === undefined ? { offset: from === "start" ? "-1" : from } : { last }
  fill(url.searchParams, { ...place, slow, missing: missing === "wait" ? missing : undefined, ...query })
  return url.href
}

/** One request of an attempt, answered 2xx. `limit`: milliseconds beyond those that any head may take. */
export function get(requester: Requester, url: string, attempt: Attempt, query: Fields, accept?: string, limit = 0): Promise<Answer> {
  const { signal, retry } = attempt
  attempt.sent()
  return ask(requester, { url: urlOf(url, attempt, query), headers: { accept }, signal, limit: retry.connect + limit })
}

/** The transport of a format. */
export const live =
  (format: Format): TransportFactory =>
  (requester: Requester, url: string): Transport => ({
    name: format.name,
    open: (attempt) => open(requester, url, format, attempt),
  })

async function* open(requester: Requester, url: string, format: Format, attempt: Attempt): AsyncGenerator<Wire, void, undefined> {
  const { environment, retry, first, parts } = attempt
  const { query, accept } = format
  const answer = await get(requester, url, attempt, query, accept)
  const { response } = answer
  const { headers } = response
  const body = bodyOf(answer, environment, retry.silence, first)
  try {
    if (response.status === 204 || !headers.get("content-type")?.startsWith(accept)) {
      return yield (await load(parts.rest)).inPlaceOf(accept, response, attempt.from)
    }
    yield { kind: "open" }
    const parse = await format.parser(response, attempt)
    let asked = format.tailless
    for (;;) {
      const next = body.read()
      if (asked && (await isSlow(next, environment))) {
        asked = false
        yield { kind: "quiet" }
      }
      const chunk = await next
      if (!chunk) break
      const wires: Wire[] = []
      try {
        parse(chunk, wires)
      } catch (cause) {
        throw (await load(parts.rest)).unreadable(cause)
      }
      if (!wires.length) yield { kind: "beat" }
      yield* wires
    }
    throw new HeadwaterError("truncated", "it was cut")
  } finally {
    body.release()
  }
}

/** Whether the promise takes longer than a moment. */
const isSlow = (promise: Promise<unknown>, environment: Environment): Promise<boolean> =>
  new Promise((resolve) => {
    const disarm = environment.timer(QUIET, () => resolve(true))
    const done = (): void => {
      disarm()
      resolve(false)
    }
    promise.then(done, done)
  })

/** Puts down a record of its own offset; those of a chunk that come one after another are one batch. */
export function gather(into: Wire[], record: WireRecord & { offset: Offset }): void {
  const { offset } = record
  const last = into.at(-1)
  if (last?.kind === "records") {
    last.records.push(record)
    last.offset = offset
  } else into.push({ kind: "records", records: [record], offset, upToDate: false })
}

/** Puts down that there is no more for now: of the batch before, where there is one. */
export function gatherTail(into: Wire[], offset: Offset): void {
  const last = into.at(-1)
  if (last?.kind === "records") last.upToDate = true
  else into.push({ kind: "up-to-date", offset })
}
