/** Lines of text, as bytes come. */

import { MOST_HELD } from "./limits.ts"
import { textDecoder } from "./records.ts"

export function tooLong(text: string): void {
  if (text.length > MOST_HELD) throw new RangeError(`more than ${MOST_HELD} characters in a line`)
}

/**
 * Takes bytes and gives the lines that they complete; what is unfinished at a cut is never told. A line ends as in event
 * streams, with `\n`, `\r` or both; in NDJSON no record has one of them in it.
 */
export function lineParser(): (chunk: Uint8Array) => string[] {
  // Not every platform's decoder drops one byte order mark alone.
  const decoder = textDecoder()
  // What is passed over at the start of a text: that mark; then the second half of a line's end that was cut.
  let skipped = "\ufeff"
  let held = ""
  return (chunk) => {
    let text = decoder.decode(chunk, { stream: true })
    if (!text) return []
    if (text[0] === skipped) text = text.slice(1)
    skipped = text.endsWith("\r") ? "\n" : ""
    const lines = text.split(text.includes("\r") ? /\r\n?|\n/ : "\n")
    const rest = lines.pop() as string
    if (lines.length) {
      lines[0] = held + lines[0]
      held = ""
    }
    held += rest
    tooLong(held)
    return lines
  }
}
