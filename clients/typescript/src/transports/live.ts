/** What the live answers over fetch have in common: one GET, its head looked at, its body pulled. */

import { Body, heartbeatOf, silenceOf } from "../body.ts"
import type { Environment } from "../environment.ts"
import { HeadwaterError } from "../errors.ts"
import { type Requester, problemOf } from "../request.ts"
import type { Attempt, Wire, WireRecord } from "../transport.ts"
import { endOf } from "./control.ts"

const QUIET = 1000

/** What takes a format's bytes and gives what they tell. */
export interface Format {
  /** What the request asks for. */
  readonly accept: string
  /** What goes into the query beside the place. */
  readonly query: Record<string, string>
  /** It does not say where the tail is: a moment of silence does. */
  readonly tailless?: boolean
  /** A parser for one answer. */
  parser(response: Response, attempt: Attempt): (chunk: Uint8Array) => Wire[]
}

/** The URL with what the attempt asks for; `start` and `now` in the protocol's words. */
export function urlOf(base: string, attempt: Attempt, query: Record<string, string>): string {
  const url = new URL(base)
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  if (attempt.last === undefined) set("offset", attempt.from === "start" ? "-1" : attempt.from)
  else set("last", String(attempt.last))
  set("slow", attempt.slow)
  if (attempt.wait && query.live !== "sse") set("missing", "wait")
  for (const [name, value] of Object.entries(query)) set(name, value)
  return url.href
}

/** An answer that is not what the transport speaks: a login page, a CDN's HTML, another server's. */
export function badAnswer(response: Response, wanted: string): HeadwaterError {
  const type = response.headers.get("content-type") ?? "no type"
  const facts = {
    content_type: type,
    // A server of the protocol alone answers plain reads whatever is accepted.
    protocol: response.headers.has("stream-next-offset"),
  }
  return new HeadwaterError("bad-answer", `the server answered ${type} in place of ${wanted}`, {
    status: response.status,
    facts,
  })
}

export async function* openLive(
  requester: Requester,
  url: string,
  format: Format,
  attempt: Attempt,
): AsyncGenerator<Wire, void, undefined> {
  attempt.sent()
  const answer = await requester.send({
    url: urlOf(url, attempt, format.query),
    headers: { accept: format.accept },
    signal: attempt.signal,
    limit: attempt.retry.connect,
  })
  const { response } = answer
  const heartbeat = heartbeatOf(response)
  // A refusal's body is not one to be pulled.
  if (!response.ok) throw await problemOf(response).finally(() => answer.release())
  const body = new Body(answer, attempt.environment, {
    silence: silenceOf(attempt.retry.silence, heartbeat),
    first: attempt.first,
  })
  try {
    // The stream is complete, and was read to its end.
    if (response.status === 204) return yield endOf(response.headers, response.headers.get("stream-next-offset") ?? attempt.from)
    if (!(response.headers.get("content-type") ?? "").startsWith(format.accept)) throw badAnswer(response, format.accept)
    yield heartbeat === undefined ? { kind: "open" } : { kind: "open", heartbeat }
    yield* told(body, format, format.parser(response, attempt), attempt)
    throw new HeadwaterError("truncated", "the answer ended before its end was told")
  } finally {
    body.release()
  }
}

/** Whether the promise takes longer than a moment. */
function slow(promise: Promise<unknown>, environment: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    const disarm = environment.timer(QUIET, () => resolve(true))
    const done = (): void => (disarm(), resolve(false))
    promise.then(done, done)
  })
}

async function* told(
  body: Body,
  { tailless }: Format,
  parse: (chunk: Uint8Array) => Wire[],
  { environment }: Attempt,
): AsyncGenerator<Wire, void, undefined> {
  let asked = tailless
  for (;;) {
    const next = body.read()
    if (asked && (await slow(next, environment))) {
      asked = false
      yield { kind: "quiet" }
    }
    const chunk = await next
    if (!chunk) return
    let wires: Wire[]
    try {
      wires = parse(chunk)
    } catch (error) {
      if (error instanceof HeadwaterError) throw error
      throw new HeadwaterError("bad-answer", `the answer cannot be read: ${String(error)}`, { cause: error })
    }
    if (!wires.length) yield { kind: "beat" }
    for (const wire of wires) yield wire
  }
}

/** The records of a chunk that come one after another are one batch. */
export function gather(into: Wire[], record: WireRecord): void {
  const last = into[into.length - 1]
  if (last?.kind === "records") {
    ;(last.records as WireRecord[]).push(record)
    last.offset = record.offset
  } else into.push({ kind: "records", records: [record], offset: record.offset, single: true, upToDate: false })
}
