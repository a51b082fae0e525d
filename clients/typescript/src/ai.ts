/**
 * A transport for the chats of the AI SDK, 6 and 7: `import { HeadwaterChatTransport } from "headwater/ai"`.
 *
 * Rule 1: one answer is one stream of chunks, through any number of connections. `[DONE]` behind a `finish`, an `error` or
 *         an `abort` ends it; everything else that ends a connection is a loss.
 * Rule 2: what came after the last id is kept back until the next one: after a loss it is told again.
 * Rule 3: a request that may not have arrived is sent again only as the same one, so that the model is asked once.
 * Rule 4: to leave is not to stop. The page leaves when it is closed; `stop()` ends the run for everybody.
 */

import { bodyOf } from "./body.ts"
import { type Environment, platform } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { insist } from "./insist.ts"
import { BAD_ANSWERS } from "./limits.ts"
import { pause } from "./patience.ts"
import { badAnswer, problemOf } from "./refusals.ts"
import { type Answer, type Call, type RequestOptions, type Requester, absolute, ask, lost, senderOf } from "./request.ts"
import { type Backoff, type Outcome, type Retry, backoffOf, retryOf } from "./retry.ts"
import { sseParser } from "./sse.ts"

/** A UI message chunk. The SDK has a type for it in each version; it is not imported, so that both versions fit. */
export type Chunk = any

type Fields = object | (() => object | Promise<object>)

export interface ChatTransportOptions extends Omit<RequestOptions, "signal"> {
  /** Where the routes of `Chat` are; `/api/chat`. */
  api?: string | URL
  /** Sent with each question, beside its messages. A function is asked again for each one. */
  body?: Fields
  /** `ai-sdk-7` has what came with version 7; a client of version 6 fails on that. `ai-sdk` is for both. */
  dialect?: "ai-sdk" | "ai-sdk-7"
}

/** What the SDK says with a request. */
interface Asking {
  headers?: HeadersInit | undefined
  body?: object | undefined
  metadata?: unknown
}

/** The state of a chat's latest run. */
export interface RunState {
  run: string
  state: "running" | "finished" | "failed" | "stopped" | "lost" | (string & {})
  message: string | null
  /** The runs of the chat that are under way. */
  running?: string[]
  /** The runs that `stop()` has ended. */
  stopped?: string[]
}

/** Somebody waits before the page: after so many milliseconds without one success it is told that there is no answer. */
const DEADLINE = 120_000
/** A question may have files in it: its body takes the time it takes. */
const WRITE_MS = 60_000

export class HeadwaterChatTransport<M extends { id: string; role: string } = Chunk> {
  /** `reconnectToStream` tells the whole answer from its start. */
  readonly resumeStreamIsReplay: boolean = true
  #options: ChatTransportOptions
  #environment: Environment
  #retry: Retry
  #requester: Requester

  constructor(options: ChatTransportOptions = {}) {
    const { retry } = options
    this.#options = options
    this.#environment = options.environment ?? platform
    this.#retry = retryOf(retry === false ? false : { deadline: DEADLINE, ...retry })
    this.#requester = { ...senderOf(options, this.#environment), problem: problemOf }
  }

  /** Asks; gives the answer when its first byte may come. Whatever happens to connections, the stream goes on. */
  async sendMessages(
    options: {
      trigger: "submit-message" | "regenerate-message"
      chatId: string
      messageId: string | undefined
      messages: M[]
      abortSignal: AbortSignal | undefined
    } & Asking,
  ): Promise<ReadableStream<Chunk>> {
    const { trigger, chatId, messageId, messages, abortSignal } = options
    const { body } = this.#options
    const more = typeof body === "function" ? await body() : body
    const last = messages[messages.length - 1]
    const headers: Record<string, string> = { "content-type": "application/json", ...plain(options.headers) }
    // The server knows a message that is sent twice by itself; nothing else.
    if (trigger !== "submit-message" || !last?.id) headers["idempotency-key"] ??= key()
    const call: Call = {
      method: "POST",
      url: this.#url("", {}),
      headers: { accept: "text/event-stream", ...headers },
      body: JSON.stringify({ ...more, ...options.body, id: chatId, messages, trigger, messageId }),
      limit: this.#retry.connect + WRITE_MS,
    }
    // Only who asks is not told the earlier parts of a message that goes on.
    const goesOn = last?.role === "assistant" && trigger === "submit-message"
    const told = this.#telling(chatId, call, abortSignal, options.headers, goesOn)
    return (await told.stream()) ?? Promise.reject(new HeadwaterError("bad-answer", "the question was answered with nothing"))
  }

  /** The answer under way, from its start; null: there is none. */
  async reconnectToStream(options: { chatId: string; abortSignal?: AbortSignal | undefined } & Asking): Promise<ReadableStream<Chunk> | null> {
    const { chatId, abortSignal } = options
    const call: Call = {
      url: this.#url(chatId, {}, "/stream"),
      headers: { accept: "text/event-stream", ...plain(options.headers) },
      limit: this.#retry.connect,
    }
    return this.#telling(chatId, call, abortSignal, options.headers, false).stream()
  }

  /** Stops what runs in the chat, for all its readers; what came so far is kept. Null: the chat has no run. */
  stop(chatId: string, options: { run?: string; signal?: AbortSignal } = {}): Promise<RunState | null> {
    return this.#ask("POST", chatId, "/stop", options)
  }

  /** How the chat's latest run is; null: the chat has none. */
  state(chatId: string, options: { run?: string; signal?: AbortSignal } = {}): Promise<RunState | null> {
    return this.#ask("GET", chatId, "", options)
  }

  async #ask(method: string, chatId: string, act: string, { run, signal }: { run?: string; signal?: AbortSignal }): Promise<RunState | null> {
    const call: Call = { method, url: this.#url(chatId, { run }, act), signal, limit: this.#retry.connect }
    return insist(this.#environment, this.#retry, signal, () => stateOf(this.#requester, call))
  }

  #url(chatId: string, query: Record<string, string | undefined>, act = ""): string {
    const url = absolute(this.#options.api ?? "/api/chat")
    if (chatId) url.pathname = `${url.pathname.replace(/\/$/, "")}/${encodeURIComponent(chatId)}${act}`
    url.searchParams.set("dialect", this.#options.dialect ?? "ai-sdk")
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    return url.href
  }

  #telling(chatId: string, call: Call, signal: AbortSignal | undefined, headers: HeadersInit | undefined, goesOn: boolean): Telling {
    return new Telling({
      requester: this.#requester,
      environment: this.#environment,
      retry: this.#retry,
      first: call,
      goesOn,
      headers: plain(headers),
      url: (act, run, offset) => this.#url(chatId, { run, offset: offset || undefined }, act),
      signal,
    })
  }
}

interface Told {
  requester: Requester
  environment: Environment
  retry: Retry
  /** What is asked until an id was told. */
  first: Call
  /** The answer goes on with a message that the page has. */
  goesOn: boolean
  headers: Record<string, string>
  url(act: string, run: string | undefined, offset?: string): string
  signal: AbortSignal | undefined
}

/** One answer, through any number of connections. */
class Telling {
  #told: Told
  #backoff: Backoff
  #leave = new AbortController()
  #signal: AbortSignal
  #answer: Answer | undefined
  #run: string | undefined
  #offset = ""
  #pending: Chunk[] = []
  #isOver = false
  #heard = false
  #bad = 0

  constructor(told: Told) {
    this.#told = told
    this.#backoff = backoffOf(told.retry, told.environment)
    this.#signal = told.signal ? AbortSignal.any([told.signal, this.#leave.signal]) : this.#leave.signal
  }

  /** When there is an answer; null: there is none to be told. */
  async stream(): Promise<ReadableStream<Chunk> | null> {
    if (!(await this.#open())) return null
    const chunks = this.#chunks()
    return new ReadableStream<Chunk>(
      {
        async pull(controller) {
          const { value, done } = await chunks.next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: async () => {
          this.#leave.abort()
          this.#answer?.release()
          await chunks.return().catch(() => undefined)
        },
      },
      { highWaterMark: 0 },
    )
  }

  async *#chunks(): AsyncGenerator<Chunk, void, undefined> {
    const { environment } = this.#told
    for (;;) {
      const began = environment.now()
      this.#heard = false
      try {
        yield* this.#take(this.#answer as Answer)
        return
      } catch (error) {
        await this.#wait(error, environment.now() - began)
      }
      if (!(await this.#open())) throw new HeadwaterError("truncated", "the answer was cut, and is not to be had any more", { retryable: false })
    }
  }

  /** Until there is the head of an answer; false: it has nothing to tell. */
  async #open(): Promise<boolean> {
    const { requester } = this.#told
    for (;;) {
      this.#backoff.begin()
      try {
        const answer = (this.#answer = await ask(requester, { ...this.#call(), signal: this.#signal }))
        if (answer.response.status !== 204) return true
        answer.release()
        return false
      } catch (error) {
        await this.#wait(error, 0)
      }
    }
  }

  #call(): Call {
    const { first, goesOn, url, headers, retry } = this.#told
    if (!this.#offset && (!this.#run || goesOn)) return first
    const more: Record<string, string> = { accept: "text/event-stream", ...headers }
    // Of what is in no header an answer is the chat's latest one, whether it runs or has ended.
    const href = new URL(url("/stream", this.#run, this.#offset))
    if (!this.#run) href.searchParams.set("ended", "true")
    return { url: href.href, headers: more, limit: retry.connect }
  }

  async *#take(answer: Answer): AsyncGenerator<Chunk, void, undefined> {
    const { environment, retry } = this.#told
    const { response } = answer
    this.#pending = []
    const body = bodyOf(answer, environment, retry.silence)
    const parse = sseParser(this.#offset)
    try {
      if (!/^text\/event-stream\s*(;|$)/i.test(response.headers.get("content-type") ?? "")) throw badAnswer(response, "text/event-stream")
      this.#run = response.headers.get("headwater-run") ?? this.#run
      for (let bytes = await body.read(); bytes; bytes = await body.read()) {
        this.#heard = true
        for (const event of parse(bytes)) {
          if (event.data === "[DONE]") {
            await this.#end()
            yield* this.#give()
            return
          }
          if (event.data !== null) this.#pending.push(chunkOf(event.data))
          if (!event.id || event.id === this.#offset) continue
          this.#offset = event.id
          this.#bad = 0
          this.#backoff.progress()
          yield* this.#give()
        }
      }
      throw new HeadwaterError("truncated", "the answer ended before its end was told")
    } finally {
      body.release()
    }
  }

  *#give(): Generator<Chunk, void, undefined> {
    const chunks = this.#pending
    this.#pending = []
    for (const chunk of chunks) {
      this.#isOver ||= ENDS.has(chunk.type)
      yield chunk
    }
  }

  /** Fails unless what is told behind the last id ends the run. */
  async #end(): Promise<void> {
    if (!this.#isOver && !this.#pending.some((chunk) => ENDS.has(chunk.type))) {
      throw new HeadwaterError("truncated", "the answer ended without saying how")
    }
    // A server that lets its connections go says so as an error, which is all that the SDK knows; the run goes on.
    if (this.#pending.some((chunk) => chunk.type === "error") && (await this.#isRunning())) {
      throw new HeadwaterError("detached", "the server let the connection go", { retryable: true })
    }
  }

  async #isRunning(): Promise<boolean> {
    const { requester, url, headers, retry } = this.#told
    try {
      const call: Call = { url: url("", this.#run), headers, signal: this.#signal, limit: retry.connect }
      return (await stateOf(requester, call))?.state === "running"
    } catch (error) {
      if (error instanceof HeadwaterError && !error.retryable && error.code !== "stopped") return false
      throw error
    }
  }

  /** Waits before the next connection, or throws why there is none. */
  async #wait(error: unknown, up: number): Promise<void> {
    const { environment, signal } = this.#told
    if (signal?.aborted) throw new DOMException("the page has left the answer", "AbortError")
    if (!(error instanceof HeadwaterError) || !error.retryable) throw error
    if (error.code === "bad-answer" && (this.#bad += 1) >= BAD_ANSWERS) throw error
    const outcome: Outcome = { up, heard: this.#heard, hint: error.retryAfter, planned: error.code === "detached" }
    const wait = this.#backoff.end(outcome)
    if (wait === null) throw error
    await pause(environment, this.#backoff, wait, this.#signal)
    if (signal?.aborted) throw new DOMException("the page has left the answer", "AbortError")
    if (this.#signal.aborted) throw stopped("the page has left the answer")
  }
}

/** Chunks behind which nothing is missing. */
const ENDS = new Set(["finish", "error", "abort"])

function chunkOf(data: string): Chunk {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new HeadwaterError("bad-record", "a chunk is not JSON", { facts: { raw: data }, cause })
  }
}

/** Null: there is none. */
async function stateOf(requester: Requester, call: Call): Promise<RunState | null> {
  const answer = await requester.send(call)
  const { response } = answer
  try {
    if (response.status === 404) return null
    if (!response.ok) throw await problemOf(response)
    if (!/json/.test(response.headers.get("content-type") ?? "")) throw badAnswer(response, "the state of a run")
    return (await response.json()) as RunState
  } catch (error) {
    throw lost(answer.signal, error)
  } finally {
    answer.release()
  }
}

const plain = (headers: HeadersInit | undefined): Record<string, string> => Object.fromEntries(new Headers(headers))

/** Not `randomUUID`, which pages without TLS have not. */
const key = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
