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
  declare readonly code: ErrorCode
  declare readonly status: number | undefined
  declare readonly retryable: boolean
  declare readonly retryAfter: number | undefined
  declare readonly offset: string | undefined
  declare readonly facts: Record<string, unknown>

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(`${message} (${code})`, details)
    const { facts = {}, retryable = PASSING.test(code) } = details
    Object.assign(this, { name: "HeadwaterError", ...details, code, facts, retryable })
  }
}

const PASSING = /^(network|connect-timeout|silent|truncated|bad-answer)$/

/** Statuses that pass. */
export const passes = (status: number): boolean => /^(408|425|429|5(?!0[15]$)..)$/.test(String(status))

/** The error that something else caused, unless it is one of this package already. */
export const causedBy = (cause: unknown, code: ClientCode, what: string): HeadwaterError =>
  cause instanceof HeadwaterError ? cause : new HeadwaterError(code, `${what}: ${cause}`, { cause })

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter(value: string | null): number | undefined {
  const ms = Number(value) * 1000 || Date.parse(value ?? "") - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** An error as a message to another tab can have it: what is cloned is no error of this package. */
export type PlainError = Pick<HeadwaterError, "code" | "message" | "status" | "retryable" | "retryAfter" | "offset" | "facts">

export const plainError = (error: HeadwaterError): PlainError => ({ ...error, message: error.message })

/** The error again. Its message has its code already. */
export const errorAgain = (plain: PlainError): HeadwaterError =>
  Object.assign(new HeadwaterError(plain.code, "", plain), { message: plain.message })

export const stopped = (why: string, cause?: unknown): HeadwaterError => new HeadwaterError("stopped", why, cause ? { cause } : {})

/** A write without an answer that is not sent again. */
export const unknownOutcome = (why: string, cause?: unknown): HeadwaterError =>
  new HeadwaterError("unknown-outcome", `it may have arrived: ${why}`, cause ? { cause } : {})

/** What was sent without an answer to a server that does not know its writer any more. */
export const forgotten = (): HeadwaterError => unknownOutcome("the server forgot this producer")
