/**
 * `EventSource`, that does not give up: a drop-in over fetch, and the platform's own as a transport.
 *
 * Rule 1: what the standard says (WHATWG HTML, section 9.2) holds, but for `retryStatuses`: a 503 is no end.
 * Rule 2: `retry:` is a floor, the same for all clients, and so spread by a third; what fails again waits longer.
 */

import { type Body, bodyOf } from "./body.ts"
import { platform } from "./environment.ts"
import { HeadwaterError, retryAfter } from "./errors.ts"
import { sleep } from "./patience.ts"
import { type RequestOptions, senderOf } from "./request.ts"
import { backoffOf, retryOf } from "./retry.ts"
import { type ServerEvent, retryField, sseParser } from "./sse.ts"

export { eventsource } from "./transports/eventsource.ts"

export interface ReconnectingEventSourceInit extends RequestOptions {
  withCredentials?: boolean
  /** Statuses after which to try again; `[]` is the standard. */
  retryStatuses?: readonly number[]
  /** What a server gets that knows where an earlier page was. */
  lastEventId?: string
  /** Milliseconds until the next connection, unless the server says `retry:`; 3,000. */
  reconnectionTime?: number
  /** Another method than GET, for servers that take a body. */
  method?: string
  body?: string
}

/** Those that pass. */
export const RETRY_STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504]

const RECONNECT_MS = 3000
type Handler<E> = ((this: EventSource, event: E) => unknown) | null
type World = { document?: { baseURI?: string }; location?: { href?: string; origin?: string } }

function resolve(url: string): URL {
  const { document, location } = globalThis as unknown as World
  try {
    return new URL(url, document?.baseURI ?? location?.href)
  } catch (cause) {
    throw new DOMException(`not a URL: ${url} (${String(cause)})`, "SyntaxError")
  }
}

/** A header's value as bytes of UTF-8, which is what servers read. */
const bytesOf = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("")

/** The platform's, with the events' types that an EventSource's have. */
type Target = Pick<EventSource, "addEventListener" | "removeEventListener" | "dispatchEvent">
const Target: new () => Target = EventTarget as new () => Target

export class ReconnectingEventSource extends Target implements EventSource {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSED = 2
  readonly url: string
  readonly withCredentials: boolean
  #init: ReconnectingEventSourceInit
  #state: 0 | 1 | 2 = 0
  #lastEventId: string
  #reconnect: number
  #stop = new AbortController()
  #handlers = new Map<string, [Handler<never>, (event: Event) => void]>()

  constructor(url: string | URL, init: ReconnectingEventSourceInit = {}) {
    super()
    this.url = resolve(String(url)).href
    this.withCredentials = Boolean(init?.withCredentials)
    this.#init = init ?? {}
    this.#reconnect = this.#init.reconnectionTime ?? RECONNECT_MS
    this.#lastEventId = this.#init.lastEventId ?? ""
    this.#init.signal?.addEventListener("abort", () => this.close(), { once: true })
    // Whoever made it has a turn to listen.
    queueMicrotask(() => void this.#run())
  }

  get readyState(): 0 | 1 | 2 {
    return this.#state
  }

  get CONNECTING(): 0 {
    return 0
  }

  get OPEN(): 1 {
    return 1
  }

  get CLOSED(): 2 {
    return 2
  }

  get onopen(): Handler<Event> {
    return this.#handler("open")
  }

  set onopen(handler: Handler<Event>) {
    this.#handle("open", handler)
  }

  get onmessage(): Handler<MessageEvent> {
    return this.#handler("message")
  }

  set onmessage(handler: Handler<MessageEvent>) {
    this.#handle("message", handler)
  }

  get onerror(): Handler<Event> {
    return this.#handler("error")
  }

  set onerror(handler: Handler<Event>) {
    this.#handle("error", handler)
  }

  close(): void {
    this.#state = 2
    this.#stop.abort()
  }

  #handler<E>(type: string): Handler<E> {
    return (this.#handlers.get(type)?.[0] as Handler<E> | undefined) ?? null
  }

  #handle<E>(type: string, handler: Handler<E>): void {
    const before = this.#handlers.get(type)
    const call = typeof handler === "function" ? handler : null
    if (before) this.removeEventListener(type, before[1])
    this.#handlers.delete(type)
    if (!call) return
    const listener = (event: Event): void => void call.call(this, event as E)
    this.#handlers.set(type, [call, listener])
    this.addEventListener(type, listener)
  }

  async #run(): Promise<void> {
    const environment = this.#init.environment ?? platform
    const backoff = backoffOf(retryOf(this.#init.retry), environment)
    // What is no HTTP is no loss that passes.
    if (!/^https?:/.test(this.url)) return this.#fail()
    while (this.#state !== 2) {
      backoff.begin()
      const ended = await this.#once(backoff.progress)
      // `close()` may have been called meanwhile, in a listener.
      if ((this.#state as number) === 2) return
      const wait = ended && backoff.end({ hint: Math.max(this.#reconnect, ended.hint) })
      if (wait === null || wait === undefined) return this.#fail()
      this.#state = 0
      this.dispatchEvent(new Event("error"))
      await sleep(environment, wait, this.#stop.signal).catch(() => undefined)
    }
  }

  #fail(): void {
    if (this.#state === 2) return
    this.#state = 2
    this.dispatchEvent(new Event("error"))
  }

  /** One connection; undefined: there is to be no other. */
  async #once(progress: () => void): Promise<{ hint: number } | undefined> {
    const environment = this.#init.environment ?? platform
    const sender = senderOf({ ...this.#init, credentials: this.withCredentials ? "include" : "same-origin" }, environment)
    const { method = "GET", body } = this.#init
    const retry = retryOf(this.#init.retry)
    try {
      const answer = await sender.send({
        url: this.url,
        method,
        headers: this.#headers(),
        ...(body === undefined ? {} : { body }),
        signal: this.#stop.signal,
        limit: retry.connect,
      })
      const { response } = answer
      if (response.status !== 200) {
        answer.release()
        return this.#refused(response)
      }
      const reading = bodyOf(answer, environment, retry.silence, undefined, Infinity)
      try {
        if (!/^text\/event-stream\s*(;|$)/i.test(response.headers.get("content-type") ?? "")) return undefined
        await this.#read(reading, new URL(response.url || this.url).origin, progress)
      } finally {
        reading.release()
      }
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error
    }
    return { hint: 0 }
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = { accept: "text/event-stream" }
    if (this.#lastEventId) headers["last-event-id"] = bytesOf(this.#lastEventId)
    return headers
  }

  #refused(response: Response): { hint: number } | undefined {
    const statuses = this.#init.retryStatuses ?? RETRY_STATUSES
    if (!statuses.includes(response.status)) return undefined
    return { hint: retryAfter(response.headers.get("retry-after")) ?? 0 }
  }

  async #read(body: Body, origin: string, progress: () => void): Promise<void> {
    if (this.#state === 2) return
    this.#state = 1
    this.dispatchEvent(new Event("open"))
    const parse = sseParser(this.#lastEventId, retryField)
    for (let chunk = await body.read(); chunk; chunk = await body.read()) {
      for (const event of parse(chunk)) {
        if ((this.#state as number) === 2) return
        this.#tell(event, origin)
        progress()
      }
    }
  }

  #tell(event: ServerEvent, origin: string): void {
    this.#lastEventId = event.id
    if (event.retry !== undefined) this.#reconnect = event.retry
    if (event.data === null) return
    this.dispatchEvent(new MessageEvent(event.event || "message", { data: event.data, lastEventId: event.id, origin }))
  }
}
