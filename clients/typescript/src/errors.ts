/** One class of error; its `code` says which. The server's codes are its error table's; the client's own are below. */

/** What the client itself finds. */
export type ClientCode =
  | "network"
  | "connect-timeout"
  | "silent"
  | "truncated"
  | "bad-answer"
  | "bad-record"
  | "unknown-outcome"
  | "overflow"
  | "unsupported"
  | "stopped"
  | "outbox-full"
  | "outbox-expired"
  | "outbox-storage"

/** A code of the server's error table, or one of the client's own. */
export type ErrorCode = ClientCode | (string & {})

export interface ErrorDetails {
  /** The HTTP status of the answer, where there was one. */
  status?: number | undefined
  /** Whether the same may work later. */
  retryable?: boolean | undefined
  /** Milliseconds that the server asks to wait. */
  retryAfter?: number | undefined
  /** Where in the stream it happened. */
  offset?: string | undefined
  /** What else is known: the fields of the server's problem, the record that was refused. */
  facts?: Record<string, unknown> | undefined
  cause?: unknown
}

export class HeadwaterError extends Error {
  readonly code: ErrorCode
  readonly status: number | undefined
  readonly retryable: boolean
  readonly retryAfter: number | undefined
  readonly offset: string | undefined
  readonly facts: Record<string, unknown>

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(`${message} (${code})`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = "HeadwaterError"
    this.code = code
    this.status = details.status
    this.retryable = details.retryable ?? PASSING.has(code)
    this.retryAfter = details.retryAfter
    this.offset = details.offset
    this.facts = details.facts ?? {}
  }
}

const PASSING = new Set<string>(["network", "connect-timeout", "silent", "truncated", "bad-answer"])

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

/** Statuses below 500 that pass; of those from 500 on all but 501 and 505. */
const passes = (status: number): boolean =>
  status >= 500 ? status !== 501 && status !== 505 : status === 408 || status === 425 || status === 429

/** The server's error of a problem's fields, in a body, an event or a line. */
export function refusal(status: number, problem: Record<string, unknown>, details: ErrorDetails = {}): HeadwaterError {
  const code = typeof problem.code === "string" ? problem.code : (CODES[status] ?? (status < 500 ? "bad-answer" : "internal"))
  const told = problem.detail ?? problem.message ?? problem.title
  const message = typeof told === "string" ? told : `the server answered ${status}`
  const offset = typeof problem.offset === "string" ? problem.offset : undefined
  return new HeadwaterError(code, message, { status, retryable: passes(status), offset, facts: problem, ...details })
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter(value: string | null): number | undefined {
  if (!value) return undefined
  const ms = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** An error as a message to another tab can have it: what is cloned is no error of this package. */
export type PlainError = Pick<HeadwaterError, "code" | "message" | "status" | "retryable" | "retryAfter" | "offset" | "facts">

export const plainError = (error: HeadwaterError): PlainError => ({ ...error, message: error.message })

/** The error again. Its message has its code already. */
export const errorAgain = (plain: PlainError): HeadwaterError =>
  Object.assign(new HeadwaterError(plain.code, "", plain), { message: plain.message })

export const stopped = (why = "the client stopped", cause?: unknown): HeadwaterError =>
  new HeadwaterError("stopped", why, { cause })
