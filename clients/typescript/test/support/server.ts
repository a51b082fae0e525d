/** A `fetch` that a test answers: every request, in order, with what comes when. */

export interface Asked {
  url: URL
  method: string
  headers: Headers
  body: Uint8Array
  signal: AbortSignal
  /** When it came, by the test's clock. */
  at: number
}

export type Reply = Response | Error | Promise<Response>

export class Fake {
  readonly asked: Asked[] = []
  #reply: (asked: Asked, index: number) => Reply
  #now: () => number

  constructor(reply: (asked: Asked, index: number) => Reply, now: () => number = () => 0) {
    this.#reply = reply
    this.#now = now
  }

  fetch: typeof fetch = async (input, init) => {
    const request = new Request(input as string, init as RequestInit)
    const asked: Asked = {
      url: new URL(request.url),
      method: request.method,
      headers: request.headers,
      body: new Uint8Array(await request.arrayBuffer()),
      signal: init?.signal as AbortSignal,
      at: this.#now(),
    }
    this.asked.push(asked)
    const reply = this.#reply(asked, this.asked.length - 1)
    if (reply instanceof Error) throw reply
    return reply
  }
}

/** The body of an answer, written by the test; its end is the answer's. */
export class Script {
  readonly stream: ReadableStream<Uint8Array>
  /** Chunks that were asked for. */
  pulled = 0
  cancelled = false
  #controller!: ReadableStreamDefaultController<Uint8Array>

  constructor(signal?: AbortSignal) {
    this.stream = new ReadableStream(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => void (this.pulled += 1),
        cancel: () => void (this.cancelled = true),
      },
      { highWaterMark: 0 },
    )
    signal?.addEventListener("abort", () => this.cut(signal.reason))
  }

  say(text: string | Uint8Array): this {
    this.#controller.enqueue(typeof text === "string" ? new TextEncoder().encode(text) : text)
    return this
  }

  end(): this {
    this.#controller.close()
    return this
  }

  cut(reason: unknown = new TypeError("terminated")): this {
    this.cancelled = true
    try {
      this.#controller.error(reason)
    } catch {
      // It had ended.
    }
    return this
  }
}

export const SSE = { "content-type": "text/event-stream" }
export const NDJSON = { "content-type": "application/x-ndjson" }

export const reply = (body: string | Script | null, headers: Record<string, string> = SSE, status = 200): Response =>
  new Response(body instanceof Script ? body.stream : body, { status, headers })

/** A response with any status, which the constructor of Response does not make. */
export function withStatus(response: Response, status: number): Response {
  Object.defineProperty(response, "status", { value: status })
  Object.defineProperty(response, "ok", { value: status >= 200 && status < 300 })
  return response
}

export const problem = (status: number, fields: Record<string, unknown>, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ status, ...fields }), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  })

/** Offsets as the server's: of one length, growing as text. */
export const at = (n: number): string => `0000000000000001_${String(n).padStart(16, "0")}`

/** A record as plain SSE has it. */
export const event = (n: number, data: unknown = n): string => `id:${at(n)}\ndata:${JSON.stringify(data)}\n\n`
