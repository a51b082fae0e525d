/** Plain Server-Sent Events: one event a record, its offset as the id. */

import { load } from "../lazy.ts"
import { type Raw, formOf } from "../records.ts"
import { sseParser } from "../sse.ts"
import type { TransportFactory, Wire } from "../transport.ts"
import { controlOf } from "./control.ts"
import { gather, gatherTail, live } from "./live.ts"

/** A parser of plain events, for any answer that has them. `rawOf`: the record of an event's data, which JSON is as it stands. */
export function plainEvents(rawOf: (data: string) => Raw = (data) => data): (chunk: Uint8Array, into: Wire[]) => void {
  const parse = sseParser()
  return (chunk, into) => {
    for (const { event, data, id } of parse(chunk)) {
      if (data === null) {
        if (id) gatherTail(into, id)
      } else if (event.startsWith("stream-")) into.push(controlOf(event, JSON.parse(data), id))
      else gather(into, { raw: rawOf(data), offset: id })
    }
  }
}

export const sse: TransportFactory = live({
  name: "sse",
  accept: "text/event-stream",
  // Text as JSON strings: an event stream would turn a carriage return into a line feed.
  query: { data: "json" },
  tailless: true,
  async parser({ headers }, { type, parts }) {
    const base64 = headers.has("stream-sse-data-encoding")
    return plainEvents(base64 || formOf(type) !== "json" ? (await load(parts.rest)).quoted(base64) : undefined)
  },
})
