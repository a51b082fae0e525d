/** Server-Sent Events (WHATWG HTML, section 9.2.6), as bytes come. */

import { lineParser, tooLong } from "./lines.ts"

export interface ServerEvent {
  /** The name; empty: `message`. */
  event: string
  /** Null: there was no data, so that the event is none; its id counts all the same. */
  data: string | null
  /** The last id so far. */
  id: string
  /** Milliseconds, when the event had a `retry`. */
  retry?: number
}

/**
 * Takes bytes and gives the events that they complete; what is unfinished at a cut is never told. `other`: whether a field that
 * makes no event by itself is one.
 */
export function sseParser(id = "", other?: (field: string, value: string, of: ServerEvent) => boolean): (chunk: Uint8Array) => ServerEvent[] {
  const lines = lineParser()
  let told: ServerEvent | undefined
  return (chunk) => {
    const events: ServerEvent[] = []
    for (const line of lines(chunk)) {
      if (!line) {
        if (told) events.push({ ...told, id })
        told = undefined
        continue
      }
      const colon = line.indexOf(":")
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1))
      const next: ServerEvent = told ?? { event: "", data: null, id }
      if (field === "data") next.data = next.data === null ? value : `${next.data}\n${value}`
      else if (field === "event") next.event = value
      else if (field === "id" && !value.includes("\0")) id = value
      else if (!other?.(field, value, next)) continue
      told = next
      tooLong(told.data ?? "")
    }
    return events
  }
}

/** The field `retry`, of clients that come back by themselves. */
export function retryField(field: string, value: string, of: ServerEvent): boolean {
  const isOne = field === "retry" && /^\d+$/.test(value)
  if (isOne) of.retry = Number(value)
  return isOne
}
