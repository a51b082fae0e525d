/** What a server or a proxy says in place of what was asked for, as an error. */

import { type ClientCode, type ErrorDetails, HeadwaterError, causedBy, passes, retryAfter } from "./errors.ts"
import type { Raw } from "./records.ts"
import type { SchemaResult } from "./schema.ts"
import type { Offset, Wire } from "./transport.ts"

/** The codes of answers that do not say one: those of other servers and of proxies. */
const CODES: Record<number, string> = {
  400: "bad-request",
  401: "not-authorized",
  403: "refused",
  404: "stream-not-found",
  405: "method-not-allowed",
  406: "not-acceptable",
  408: "request-timeout",
  409: "conflict",
  410: "gone",
  412: "precondition-failed",
  413: "too-large",
  415: "unsupported-coding",
  429: "rate-limited",
  503: "unavailable",
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

/** The server's error of a problem's fields, in a body, an event or a line. */
export function refusal(status: number, problem: Record<string, unknown>, details: ErrorDetails = {}): HeadwaterError {
  const { code, detail, message, title, offset } = problem
  return new HeadwaterError(
    textOf(code) ?? CODES[status] ?? (status < 500 ? "bad-answer" : "internal"),
    textOf(detail ?? message ?? title) ?? `the server answered ${status}`,
    { status, retryable: passes(status), offset: textOf(offset), facts: problem, ...details },
  )
}

/** The error that a refusal tells, in a problem, in plain text, or by its status alone. */
export async function problemOf(response: Response): Promise<HeadwaterError> {
  const { status, headers, url } = response
  const where = `${status} for ${url}`
  let facts: Record<string, unknown> = {}
  if (/json|^text\/plain/.test(headers.get("content-type") ?? "")) {
    const text = await response.text().catch(() => "")
    try {
      facts = { ...JSON.parse(text) }
    } catch {
      // A refusal without a readable body is one all the same.
      if (text) facts.detail = `${text.slice(0, 200)}: ${where}`
    }
  }
  for (const [header, name] of FACTS) facts[name] ??= headers.get(header) ?? undefined
  // What servers of the protocol alone say in headers.
  if (status === 409 && facts.expected !== undefined) facts.code ??= "producer-gap"
  if (status === 403 && facts.epoch !== undefined) facts.code ??= "producer-fenced"
  if (status === 409 && facts.closed) facts.code ??= "stream-closed"
  facts.detail ??= where
  return refusal(status, facts, { retryAfter: retryAfter(headers.get("retry-after")) })
}

const FACTS = [
  ["stream-next-offset", "next_offset"],
  ["stream-earliest-offset", "earliest"],
  ["producer-epoch", "epoch"],
  ["producer-expected-seq", "expected"],
  ["stream-closed", "closed"],
] as const

/** An answer that is not what the transport speaks: a login page, a CDN's HTML, another server's. */
export function badAnswer({ headers, status }: Response, wanted: string): HeadwaterError {
  const type = headers.get("content-type") ?? "no type"
  // A server of the protocol alone answers plain reads whatever is accepted.
  const facts = { content_type: type, protocol: headers.has("stream-next-offset") }
  return new HeadwaterError("bad-answer", `the server answered ${type} in place of ${wanted}`, { status, facts })
}

/** A record that `decode` or a schema does not take. */
export function badRecord(cause: unknown, raw: Raw, offset: Offset): HeadwaterError {
  const { issues, message = issues?.map((issue) => issue.message).join("; ") ?? String(cause), facts = issues ? { issues } : {} } = Object(
    cause,
  ) as Partial<HeadwaterError> & Partial<SchemaResult<unknown>>
  return new HeadwaterError("bad-record", `a record was refused: ${message}`, { offset, facts: { raw, ...facts }, cause })
}

/** What a transport told: an error of the server's, or that the stream is not complete. */
export function told(wire: Extract<Wire, { kind: "stream-error" | "stream-failed" }>): HeadwaterError {
  if (wire.kind === "stream-error") {
    const { data } = wire
    return data instanceof HeadwaterError ? data : refusal(Number(data.status) || 0, data)
  }
  const { kind, offset, code = "", message = "" } = wire
  return new HeadwaterError(kind, `the stream failed: ${code} ${message}`.trim(), { offset, facts: { code, message } })
}

/** An answer whose bytes are not what its type says. */
export const unreadable = (cause: unknown, code: ClientCode = "bad-answer"): HeadwaterError => causedBy(cause, code, "the answer cannot be read")
