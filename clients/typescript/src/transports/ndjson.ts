/** NDJSON: one line a record, controls as lines of their own. */

import { type Codec, codecOf, placedOf } from "../codec.ts"
import { lineParser } from "../lines.ts"
import { formOf, fromBase64 } from "../records.ts"
import type { Fields } from "../request.ts"
import type { Known, Offset, TransportFactory, WireRecord } from "../transport.ts"
import { controlOf } from "./control.ts"
import { gather, gatherTail, live } from "./live.ts"

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

/** The record of a line, or of an envelope. */
export function recordOf(text: string, line: Line, json: boolean, codec: Codec | undefined): WireRecord & { offset: Offset } {
  const { offset, data, base64, at, by } = line
  const more = at === undefined ? { offset } : { offset, known: { at, by } }
  // Not by spreading, which would ask for the value.
  if (base64 !== undefined) return Object.assign(placedOf(fromBase64(base64), offset, codec), more)
  return json ? { raw: rawOf(text, line), value: data, ...more } : { raw: String(data), ...more }
}

const lines = (query: Fields): TransportFactory => live({
  name: "ndjson",
  accept: "application/x-ndjson",
  query,
  async parser(_response, { type, codec: option }) {
    const codec = await codecOf(option)
    const split = lineParser()
    const json = formOf(type) === "json"
    return (chunk, into) => {
      for (const text of split(chunk)) {
        if (!text.trim()) continue
        const line = JSON.parse(text) as Line
        const { offset, control } = line
        if (control === "up-to-date") gatherTail(into, offset)
        else if (control) into.push(controlOf(`stream-${control}`, line, offset))
        else gather(into, recordOf(text, line, json, codec))
      }
    }
  },
})

export const ndjson: TransportFactory = (requester, url) => ({
  name: "ndjson",
  open: (attempt) => lines(attempt.envelope ? { envelope: 1 } : {})(requester, url).open(attempt),
})
