/** NDJSON: one line a record, controls as lines of their own. And plain events that have such a line as their data: envelopes. */

import { codecOf, placedOf } from "../codec.ts"
import { lineParser } from "../lines.ts"
import { formOf, fromBase64 } from "../records.ts"
import type { Fields } from "../request.ts"
import type { Attempt, Known, Offset, TransportFactory, WireRecord } from "../transport.ts"
import { controlOf } from "./control.ts"
import { gather, gatherTail, live } from "./live.ts"
import { plainEvents } from "./sse.ts"

interface Line extends Record<string, unknown>, Known {
  offset: string
  control?: string
  data?: unknown
  base64?: string
}

/** What stands before a record's own text, where the line has an offset, what is known of the record, and nothing else. */
const BEFORE = /^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/
const OURS = /^(offset|at|by|data)$/

/** The record as it was appended; a newer server's further fields cost the exact text, not the value. */
function rawOf(text: string, line: Line): string {
  const before = BEFORE.exec(text)
  return before && Object.keys(line).every((key) => OURS.test(key)) ? text.trimEnd().slice(before[0].length, -1) : JSON.stringify(line.data)
}

/** Makes the records of an attempt's lines, or of envelopes. */
async function lined({ type, codec: option }: Attempt): Promise<(text: string, line?: Line) => WireRecord & { offset: Offset }> {
  const codec = await codecOf(option)
  const json = formOf(type) === "json"
  return (text, line = JSON.parse(text) as Line) => {
    const { offset, data, base64, at, by } = line
    const more = at === undefined ? { offset } : { offset, known: { at, by } }
    // Not by spreading, which would ask for the value.
    if (base64 !== undefined) return Object.assign(placedOf(fromBase64(base64), offset, codec), more)
    return json ? { raw: rawOf(text, line), value: data, ...more } : { raw: String(data), ...more }
  }
}

const lines = (query: Fields): TransportFactory => live({
  name: "ndjson",
  accept: "application/x-ndjson",
  query,
  async parser(_response, attempt) {
    const recordOf = await lined(attempt)
    const split = lineParser()
    return (chunk, into) => {
      for (const text of split(chunk)) {
        if (!text.trim()) continue
        const line = JSON.parse(text) as Line
        const { offset, control } = line
        if (control === "up-to-date") gatherTail(into, offset)
        else if (control) into.push(controlOf(`stream-${control}`, line, offset))
        else gather(into, recordOf(text, line))
      }
    }
  },
})

/** Plain events whose data are lines, for who wants to know more of each record. */
export const enveloped: TransportFactory = live({
  name: "sse",
  accept: "text/event-stream",
  query: { envelope: 1 },
  tailless: true,
  parser: async (_response, attempt) => plainEvents(await envelopes(attempt)),
})

/** The record of an event's data. */
export async function envelopes(attempt: Attempt): Promise<(data: string) => WireRecord & { offset: Offset }> {
  const recordOf = await lined(attempt)
  return (data) => recordOf(data)
}

export const ndjson: TransportFactory = (requester, url) => ({
  name: "ndjson",
  open: (attempt) => lines(attempt.envelope ? { envelope: 1 } : {})(requester, url).open(attempt),
})
