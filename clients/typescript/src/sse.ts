/** Server-Sent Events (WHATWG HTML, section 9.2.6), as bytes come. */

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

/** Of an event that is not complete; a longer one is no stream of events. */
const MAX_EVENT = 1 << 26

const LINE_END = /\r\n|\r|\n/g

export class SseParser {
  /** The last id of a block that was finished. */
  id: string
  // One byte order mark at the start is dropped here: not every platform's decoder drops one alone.
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  #begun = false
  #newId: string
  #parts: string[] = []
  #size = 0
  #afterCr = false
  #event = ""
  #data: string[] | null = null
  #retry: number | undefined
  #touched = false

  constructor(id = "") {
    this.id = this.#newId = id
  }

  /** Takes bytes and gives the events that they complete; what is unfinished at a cut is never told. */
  feed(chunk: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(chunk, { stream: true })
    if (!this.#begun && text) {
      this.#begun = true
      if (text[0] === "\ufeff") text = text.slice(1)
    }
    if (this.#afterCr && text) {
      this.#afterCr = false
      if (text[0] === "\n") text = text.slice(1)
    }
    const events: ServerEvent[] = []
    let from = 0
    if (!text.includes("\r")) {
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
        this.#line(this.#whole(text.slice(from, end)), events)
        from = end + 1
      }
    } else {
      for (const match of text.matchAll(LINE_END)) {
        this.#line(this.#whole(text.slice(from, match.index)), events)
        from = match.index + match[0].length
      }
      this.#afterCr = text.endsWith("\r")
    }
    this.#hold(text.slice(from))
    return events
  }

  /** The end of a line, with what came of it before. */
  #whole(end: string): string {
    if (!this.#parts.length) return end
    const line = this.#parts.join("") + end
    this.#parts.length = 0
    return line
  }

  #hold(rest: string): void {
    if (!rest) return
    this.#parts.push(rest)
    this.#size += rest.length
    if (this.#size > MAX_EVENT) throw new RangeError("an event is too long")
  }

  #line(line: string, events: ServerEvent[]): void {
    if (line === "") {
      if (this.#touched) events.push(this.#take())
      return
    }
    const colon = line.indexOf(":")
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
    this.#field(field, value)
  }

  #field(field: string, value: string): void {
    if (field === "data") {
      this.#data ??= []
      this.#data.push(value)
      this.#size += value.length
      if (this.#size > MAX_EVENT) throw new RangeError("an event is too long")
    } else if (field === "event") this.#event = value
    else if (field === "id" && !value.includes("\0")) this.#newId = value
    else if (field === "retry" && /^\d+$/.test(value)) this.#retry = Number(value)
    else return
    this.#touched = true
  }

  #take(): ServerEvent {
    this.id = this.#newId
    const event: ServerEvent = { event: this.#event, data: this.#data?.join("\n") ?? null, id: this.id }
    if (this.#retry !== undefined) event.retry = this.#retry
    this.#event = ""
    this.#data = null
    this.#retry = undefined
    this.#touched = false
    this.#size = 0
    return event
  }
}
