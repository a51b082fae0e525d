/** NDJSON: one line a record, with its offset, and lines that say what happens. */

import { LineParser } from "../lines.ts"
import { formOf, fromBase64 } from "../records.ts"
import type { Requester } from "../request.ts"
import type { Attempt, Transport, Wire } from "../transport.ts"
import { type Format, gather, openLive } from "./live.ts"
import { controlOf } from "./control.ts"

const format: Format = {
  accept: "application/x-ndjson",
  query: {},
  parser: (_response, attempt) => ndjsonLines(attempt.type),
}

interface Line extends Record<string, unknown> {
  offset: string
  control?: string
  data?: unknown
  base64?: string
}

/** What stands before a record's own text, where the line has an offset and it, and nothing else. */
const BEFORE = /^\{"offset":"[^"\\]*","data":/

export function ndjsonLines(type: string | undefined): (chunk: Uint8Array) => Wire[] {
  const parser = new LineParser()
  const form = type === undefined ? "json" : formOf(type)
  return (chunk) => {
    const wires: Wire[] = []
    for (const text of parser.feed(chunk)) {
      const line = JSON.parse(text) as Line
      if (line.control !== undefined) wires.push(...told(line, line.control, wires))
      else if (typeof line.base64 === "string") gather(wires, { raw: fromBase64(line.base64), offset: line.offset })
      else if (form === "json") gather(wires, { raw: rawOf(text, line), value: line.data, offset: line.offset })
      else gather(wires, { raw: String(line.data), offset: line.offset })
    }
    return wires
  }
}

/** The record as it was appended; a newer server's further fields cost the exact text, not the value. */
function rawOf(text: string, line: Line): string {
  const before = BEFORE.exec(text)
  return before && Object.keys(line).length === 2 ? text.trimEnd().slice(before[0].length, -1) : JSON.stringify(line.data)
}

function told(line: Line, control: string, into: Wire[]): Wire[] {
  const { offset } = line
  const last = into[into.length - 1]
  if (control !== "up-to-date") return [controlOf(control, line as never, offset)]
  if (last?.kind !== "records") return [{ kind: "up-to-date", offset }]
  last.upToDate = true
  return []
}

export const ndjson = (requester: Requester, url: string): Transport => ({
  name: "ndjson",
  open: (attempt: Attempt) => openLive(requester, url, format, attempt),
})
