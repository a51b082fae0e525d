/** What is told of a stream beside its records, in whatever words: the controls that all formats have in common. */

import { refusal } from "../errors.ts"
import type { Wire } from "../transport.ts"

/** The fields of a control, as any format has them. */
export type Fields = Record<string, never> & { from: string; to: string; retry_after?: number }

/** A control by its name, with the offset where the reader stands; one that is not known is a beat. */
export function controlOf(name: string, fields: Fields, offset: string): Wire {
  const { code, message, from, to, reason, retry_after: seconds = 0 } = fields
  switch (name) {
    case "closed":
      return { kind: "end", end: "closed", offset }
    case "failed":
      return { kind: "end", end: "failed", offset, code: code ?? "", message: message ?? "" }
    case "error":
      return { kind: "error", error: refusal(Number(fields.status) || 0, fields) }
    case "detached":
      return { kind: "detached", retryAfter: seconds * 1000, reason }
    case "gap":
      return { kind: "gap", from, to, offset, reason }
    case "waiting":
      return { kind: "waiting" }
    case "created":
      return { kind: "created", type: fields.content_type ?? "" }
    case "signal":
    case "presence":
      return { kind: "notice", name, data: fields }
    default:
      return { kind: "beat" }
  }
}

/** The reason of a failed stream, as headers have it. */
export function failureOf(headers: Headers): { code: string; message: string } | undefined {
  const code = headers.get("stream-failure")
  if (code === null) return undefined
  return { code, message: decodeURIComponent(headers.get("stream-failure-message") ?? "") }
}

/** The end of a stream, as headers tell it. */
export function endOf(headers: Headers, offset: string): Wire {
  const failure = failureOf(headers)
  return { kind: "end", end: failure ? "failed" : "closed", offset, ...failure }
}
