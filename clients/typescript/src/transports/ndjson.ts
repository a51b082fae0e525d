/** NDJSON: one line a record, controls as lines of their own. */

import { codecOf, placedOf } from "../codec.ts"
import { lineParser } from "../lines.ts"
import { formOf, fromBase64 } from "../records.ts"
import type { TransportFactory } from "../transport.ts"
import { controlOf } from "./control.ts"
import { gather, gatherTail, live } from "./live.ts"

interface Line extends Record<string, unknown> {
  offset: string
  control?: string
  data?: unknown
  base64?: string
}

/** What stands before a record's own text, where the line has an offset and it, and nothing else. */
const BEFORE = /^\{"offset":"[^"\\]*","data":/

/** The record as it was appended; a newer server's further fields cost the exact text, not the value. */
function rawOf(text: string, line: Line): string {
  const before = BEFORE.exec(text)
  return before && Object.keys(line).length === 2 ? text.trimEnd().slice(before[0].length, -1) : JSON.stringify(line.data)
}

export const ndjson: TransportFactory = live({
  name: "ndjson",
  accept: "application/x-ndjson",
  query: {},
  async parser(_response, { type, codec: option }) {
    const codec = await codecOf(option)
    const lines = lineParser()
    const json = formOf(type) === "json"
    return (chunk, into) => {
      for (const text of lines(chunk)) {
        if (!text.trim()) continue
        const line = JSON.parse(text) as Line
        const { offset, control, data, base64 } = line
        if (control === "up-to-date") gatherTail(into, offset)
        else if (control) into.push(controlOf(`stream-${control}`, line, offset))
        else if (base64 !== undefined) gather(into, placedOf(fromBase64(base64), offset, codec))
        else gather(into, json ? { raw: rawOf(text, line), value: data, offset } : { raw: String(data), offset })
      }
    }
  },
})
