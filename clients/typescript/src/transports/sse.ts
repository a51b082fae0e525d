/** Plain Server-Sent Events: one event a record, its offset as the id. */

import { formOf, fromBase64 } from "../records.ts"
import { sseParser } from "../sse.ts"
import type { Attempt, TransportFactory, Wire } from "../transport.ts"
import { controlOf } from "./control.ts"
import { gather, gatherTail, live } from "./live.ts"
import { recordOf } from "./ndjson.ts"

/** A parser of plain events, for any answer that has them. */
export function plainEvents(base64: boolean, { type, envelope }: Attempt): (chunk: Uint8Array, into: Wire[]) => void {
  const parse = sseParser()
  const json = formOf(type) === "json" && !base64
  const rawOf = (data: string): string | Uint8Array => {
    if (json) return data
    const value = JSON.parse(data) as string | { base64: string }
    if (typeof value !== "string") return fromBase64(value.base64)
    return base64 ? fromBase64(value) : value
  }
  return (chunk, into) => {
    for (const { event, data, id } of parse(chunk)) {
      if (data === null) {
        if (id) gatherTail(into, id)
      } else if (event.startsWith("stream-")) into.push(controlOf(event, JSON.parse(data), id))
      else gather(into, envelope ? recordOf(data, JSON.parse(data), json) : { raw: rawOf(data), offset: id })
    }
  }
}

export const sse: TransportFactory = live({
  name: "sse",
  accept: "text/event-stream",
  // Text as JSON strings: an event stream would turn a carriage return into a line feed.
  query: { data: "json" },
  tailless: true,
  parser: ({ headers }, attempt) => plainEvents(headers.has("stream-sse-data-encoding"), attempt),
})
