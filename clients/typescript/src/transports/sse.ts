/** Plain Server-Sent Events: one event a record, its offset as the id. */

import { type Fields, controlOf } from "./control.ts"
import { formOf, fromBase64 } from "../records.ts"
import type { Requester } from "../request.ts"
import { type ServerEvent, SseParser } from "../sse.ts"
import type { Attempt, Transport, Wire } from "../transport.ts"
import { type Format, gather, openLive } from "./live.ts"

const format: Format = {
  accept: "text/event-stream",
  // Text as JSON strings: an event stream would turn a carriage return into a line feed.
  query: { data: "json" },
  tailless: true,
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

/** What an event of Headwater's own names tells; null: it is a record. */
function control({ event, data, id }: ServerEvent): Wire | null {
  return event.startsWith("stream-") && data !== null ? controlOf(event.slice(7), JSON.parse(data) as Fields, id) : null
}

export const sse = (requester: Requester, url: string): Transport => ({
  name: "sse",
  open: (attempt: Attempt) => openLive(requester, url, format, attempt),
})
