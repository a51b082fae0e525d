/** Lines of NDJSON, as bytes come. */

/** Of a line that is not complete. */
const MAX_LINE = 1 << 26

export class LineParser {
  #decoder = new TextDecoder()
  #parts: string[] = []
  #size = 0

  /** Takes bytes and gives the lines that they complete; what is unfinished at a cut is never told. */
  feed(chunk: Uint8Array): string[] {
    const text = this.#decoder.decode(chunk, { stream: true })
    const last = text.lastIndexOf("\n")
    if (last < 0) {
      this.#parts.push(text)
      this.#size += text.length
      if (this.#size > MAX_LINE) throw new RangeError("a line is too long")
      return []
    }
    this.#parts.push(text.slice(0, last))
    const lines = this.#parts.join("").split("\n")
    this.#parts = [text.slice(last + 1)]
    this.#size = text.length - last - 1
    return lines.filter((line) => line.trim() !== "")
  }
}
