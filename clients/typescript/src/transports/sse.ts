/** Plain Server-Sent Events: one event a record, its offset as the id. */

import { refusal } from "../errors.ts"
import { formOf, fromBase64 } from "../records.ts"
import type { Requester } from "../request.ts"
import { type ServerEvent, SseParser } from "../sse.ts"
import type { Attempt, Transport, Wire } from "../transport.ts"
import { type Format, gather, openLive } from "./live.ts"

const format: Format = {
  accept: "text/event-stream",
  // Text as JSON strings: an event stream would turn a carriage return into a line feed.
  query: { data: "json" },
  parser: (response, attempt) => plainEvents(response.headers.has("stream-sse-data-encoding"), attempt.type),
}

/** A parser of plain events, for any answer that has them. */
export function plainEvents(base64: boolean, type: string | undefined): (chunk: Uint8Array) => Wire[] {
  const parser = new SseParser()
  const form = type === undefined ? "json" : formOf(type)
  const raw = (data: string): string | Uint8Array => {
    if (form === "json" && !base64) return data
    const value: unknown = JSON.parse(data)
    return typeof value === "string" ? (base64 ? fromBase64(value) : value) : fromBase64((value as { base64: string }).base64)
  }
  return (chunk) => {
    const wires: Wire[] = []
    for (const event of parser.feed(chunk)) {
      const wire = control(event)
      if (wire) wires.push(wire)
      else if (event.data === null) {
        if (event.id) wires.push({ kind: "up-to-date", offset: event.id })
      } else gather(wires, { raw: raw(event.data), offset: event.id })
    }
    return wires
  }
}

type Fields = Record<string, never> & { from: string; to: string; reason?: string; retry_after?: number }

/** What an event of Headwater's own names tells; null: it is a record. */
export function control(event: ServerEvent): Wire | null {
  if (!event.event.startsWith("stream-") || event.data === null) return null
  const fields = JSON.parse(event.data) as Fields
  const offset = event.id
  switch (event.event) {
    case "stream-closed":
      return { kind: "end", end: "closed", offset }
    case "stream-failed":
      return { kind: "end", end: "failed", offset, code: fields.code ?? "", message: fields.message ?? "" }
    default:
      return controlOf(event.event.slice(7), fields, offset)
  }
}

/** The controls that plain events and lines have in common; one that is not known is a beat. */
export function controlOf(name: string, fields: Fields, offset: string): Wire {
  switch (name) {
    case "error":
      return { kind: "error", error: refusal(Number(fields.status) || 0, fields) }
    case "detached":
      return {
        kind: "detached",
        retryAfter: (fields.retry_after ?? 0) * 1000,
        ...(fields.reason === undefined ? {} : { reason: fields.reason }),
      }
    case "gap":
      return { kind: "gap", from: fields.from, to: fields.to, offset, ...(fields.reason ? { reason: fields.reason } : {}) }
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

export const sse = (requester: Requester, url: string): Transport => ({
  name: "sse",
  open: (attempt: Attempt) => openLive(requester, url, format, attempt),
})
