/** Plain Server-Sent Events: one event a record, its offset as the id. */

import { load } from "../lazy.ts"
import { formOf } from "../records.ts"
import { sseParser } from "../sse.ts"
import type { Offset, TransportFactory, WireRecord } from "../transport.ts"
import { controlOf } from "./control.ts"
import { type Parser, gather, gatherTail, live } from "./live.ts"

const plain = (raw: string, offset: Offset): { raw: string; offset: Offset } => ({ raw, offset })

/** A parser of plain events, for any answer that has them. `recordOf`: the record of an event's data; JSON is as it stands. */
export function plainEvents(recordOf: (raw: string, offset: Offset) => WireRecord & { offset: Offset } = plain): Parser {
  const parse = sseParser()
  return (chunk, into) => {
    for (const { event, data, id } of parse(chunk)) {
      if (data === null) {
        if (id) gatherTail(into, id)
      } else if (event.startsWith("stream-")) into.push(controlOf(event, JSON.parse(data), id))
      else gather(into, recordOf(data, id))
    }
  }
}

export const sse: TransportFactory = live({
  name: "sse",
  accept: "text/event-stream",
  // Text as JSON strings: an event stream would turn a carriage return into a line feed.
  query: { data: "json" },
  tailless: true,
  async parser({ headers }, { type, parts, codec }) {
    const base64 = headers.has("stream-sse-data-encoding")
    return plainEvents(base64 || formOf(type) !== "json" ? await (await load(parts.rest)).quoted(base64, codec) : undefined)
  },
})
