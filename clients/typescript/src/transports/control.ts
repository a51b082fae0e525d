/** What is told of a stream beside its records, in whatever words: the controls that all formats have in common. */

import { refusal } from "../errors.ts"
import type { Offset, Wire } from "../transport.ts"

/** A control by the name of its event, in the protocol's own fields, with the offset where the reader stands. */
export function controlOf(kind: string, fields: Record<string, unknown>, offset: Offset): Wire {
  if (kind === "stream-error") return { kind, error: refusal(Number(fields.status) || 0, fields) }
  return { ...fields, kind, offset, type: fields.content_type, data: fields } as unknown as Wire
}

/** The reason of a failed stream, as headers have it. */
export function failureOf(headers: Headers): { code: string; message: string } | undefined {
  const code = headers.get("stream-failure")
  if (code === null) return undefined
  return { code, message: decodeURIComponent(headers.get("stream-failure-message") ?? "") }
}

/** The end of a stream, as headers tell it. */
export function endOf(headers: Headers, offset: Offset): Wire {
  const failure = failureOf(headers)
  return failure ? { kind: "stream-failed", offset, ...failure } : { kind: "stream-closed", offset }
}
