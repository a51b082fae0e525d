/** The platform's own EventSource as a transport: the last resort, where fetch cannot stream. */

import { HeadwaterError } from "../errors.ts"
import { formOf } from "../records.ts"
import type { Requester } from "../request.ts"
import { BUFFER } from "../limits.ts"
import type { Attempt, Transport, Wire } from "../transport.ts"
import { urlOf } from "./live.ts"
import { envelopes } from "./ndjson.ts"
import { quoted } from "./quoted.ts"
import { plainEvents } from "./sse.ts"

/** Headwater's own names of events; one that is not listened to is lost. */
const NAMES = ["closed", "failed", "detached", "error", "gap", "waiting", "created", "signal", "presence", "replaced"]

/** Events until the consumer takes them; nothing else holds a native one back. */
class Events {
  #source: EventSource
  #queue: Wire[] = []
  #size = 0
  #most: number
  #ended: HeadwaterError | undefined
  #ready: (() => void) | undefined

  constructor(url: string, attempt: Attempt, credentials: boolean, recordOf: Parameters<typeof plainEvents>[0]) {
    this.#most = attempt.buffer ?? BUFFER
    this.#source = new EventSource(url, { withCredentials: credentials })
    const parse = plainEvents(recordOf)
    const encoder = new TextEncoder()
    const take = ({ type, data, lastEventId }: MessageEvent<string>): void => {
      const lines = data.split("\n").map((line) => `data:${line}\n`)
      const wires: Wire[] = []
      parse(encoder.encode(`event:${type === "message" ? "" : type}\nid:${lastEventId}\n${lines.join("")}\n`), wires)
      this.#put(wires, data.length)
    }
    this.#source.onopen = () => this.#put([{ kind: "open" }], 0)
    this.#source.onmessage = take
    for (const name of NAMES) this.#source.addEventListener(`stream-${name}`, take as (event: Event) => void)
    // It would try again by itself, by rules of its own.
    this.#source.onerror = () => this.#end(new HeadwaterError("network", "the connection was lost or refused"))
    attempt.signal.addEventListener("abort", () => this.#end(new HeadwaterError("stopped", "the attempt is over")), { once: true })
  }

  /** The next one; throws at the end, behind what had come. */
  async next(): Promise<Wire> {
    while (!this.#queue.length) {
      if (this.#ended) throw this.#ended
      await new Promise<void>((resolve) => (this.#ready = resolve))
    }
    const wire = this.#queue.shift() as Wire
    if (wire.kind === "records") for (const { raw } of wire.records) this.#size -= raw.length
    return wire
  }

  close(): void {
    this.#source.close()
  }

  #put(wires: Wire[], size: number): void {
    if (this.#ended) return
    this.#queue.push(...wires)
    this.#size += size
    if (this.#size > this.#most) this.#end(new HeadwaterError("overflow", `more than ${this.#most} bytes wait to be read`, { retryable: true }))
    this.#ready?.()
  }

  #end(error: HeadwaterError): void {
    this.#ended ??= error
    this.#source.close()
    this.#ready?.()
  }
}

async function* open(url: string, attempt: Attempt, credentials: boolean): AsyncGenerator<Wire, void, undefined> {
  if (typeof EventSource === "undefined") throw new HeadwaterError("unsupported", "this platform has no EventSource")
  attempt.sent()
  const { type, codec, envelope } = attempt
  const recordOf = envelope ? await envelopes(attempt) : formOf(type) === "json" ? undefined : await quoted(false, codec)
  const events = new Events(urlOf(url, attempt, envelope ? { envelope: 1 } : { data: "json" }), attempt, credentials, recordOf)
  try {
    for (;;) yield await events.next()
  } finally {
    events.close()
  }
}

export const eventsource = (requester: Requester, url: string): Transport => ({
  name: "eventsource",
  open: (attempt: Attempt) => open(url, attempt, requester.options.credentials === "include"),
})
