/** One request to one URL: its headers asked for anew, a limit until its head, one signal for each attempt. */

import type { Environment } from "./environment.ts"
import { HeadwaterError, refusal, retryAfter, stopped } from "./errors.ts"
import type { Retry } from "./retry.ts"

export type Headers_ = HeadersInit

export interface RequestOptions {
  /** Sent with each request. A function is asked again for each one, so that tokens can be fresh. */
  headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>)
  /** As of `fetch`: whether cookies go to another origin. */
  credentials?: RequestCredentials
  /** In place of the platform's `fetch`. */
  fetch?: typeof fetch
  /** Ends everything that is done with these options. */
  signal?: AbortSignal
  /** When to try again; `false`: never. */
  retry?: Partial<Retry> | false
  /** In place of the platform's clock and events; for tests. */
  environment?: Environment
}

/** What one request is, apart from what all of a stream's have in common. */
export interface Call {
  method?: string
  url: string
  headers?: Record<string, string>
  body?: BodyInit
  signal?: AbortSignal | undefined
  /** Milliseconds until the head. */
  limit: number
}

/** An answer's head, and what ends its body. */
export interface Answer {
  response: Response
  /** Of the attempt: aborted when it is over. */
  signal: AbortSignal
  /** Ends the body; reading it then fails with this error. */
  abort(why: HeadwaterError): void
  /** The attempt is over: nothing is left behind. */
  release(): void
  /** Why it was ended by this client, if it was. */
  why(): HeadwaterError | undefined
}

/** The most of a refusal's body that is read. */
const MAX_PROBLEM = 65_536

/** An absolute URL; relative ones are the page's or the worker's. */
export function absolute(url: string | URL): URL {
  // Not document.baseURI, which workers have not.
  return new URL(url, (globalThis as { location?: { href: string } }).location?.href)
}

export class Requester {
  readonly options: RequestOptions
  readonly environment: Environment

  constructor(options: RequestOptions, environment: Environment) {
    this.options = options
    this.environment = environment
  }

  /** Sends it, and again once with other headers after 401; the answer has any status. */
  async send(call: Call): Promise<Answer> {
    const answer = await this.#once(call)
    if (answer.response.status !== 401 || typeof this.options.headers !== "function") return answer
    answer.release()
    return this.#once(call)
  }

  /** The same, for what is answered 2xx: everything else is an error. */
  async ask(call: Call): Promise<Answer> {
    const answer = await this.send(call)
    if (answer.response.ok) return answer
    try {
      throw await problemOf(answer.response)
    } finally {
      answer.release()
    }
  }

  async #once(call: Call): Promise<Answer> {
    const attempt = new Attempt([this.options.signal, call.signal])
    const disarm = this.environment.timer(call.limit, () =>
      attempt.abort(new HeadwaterError("connect-timeout", `no answer in ${call.limit} ms`)),
    )
    try {
      const response = await attempt.race(this.#fetch(call, attempt.signal))
      return { response, signal: attempt.signal, abort: attempt.abort, release: attempt.release, why: () => attempt.why }
    } catch (error) {
      attempt.release()
      throw attempt.why ?? networkError(error)
    } finally {
      disarm()
    }
  }

  async #fetch(call: Call, signal: AbortSignal): Promise<Response> {
    const { headers, credentials } = this.options
    const all = new Headers(typeof headers === "function" ? await headers() : headers)
    for (const [name, value] of Object.entries(call.headers ?? {})) all.set(name, value)
    const init: RequestInit = { method: call.method ?? "GET", headers: all, signal, cache: "no-store" }
    if (credentials) init.credentials = credentials
    if (call.body !== undefined) init.body = call.body
    // Not as a method: browsers refuse a `fetch` with another `this`.
    const send = this.options.fetch ?? fetch
    return send(call.url, init)
  }
}

/** One signal for one attempt; what listens for the caller's goes with it. */
class Attempt {
  #controller = new AbortController()
  #undo: (() => void)[] = []
  why: HeadwaterError | undefined

  constructor(signals: (AbortSignal | undefined)[]) {
    for (const signal of signals) {
      if (!signal) continue
      const stop = (): void => this.abort(stopped("the signal was aborted", signal.reason))
      if (signal.aborted) stop()
      signal.addEventListener("abort", stop)
      this.#undo.push(() => signal.removeEventListener("abort", stop))
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort = (why: HeadwaterError): void => {
    this.why ??= why
    this.#controller.abort(why)
  }

  release = (): void => {
    for (const undo of this.#undo) undo()
    this.#undo.length = 0
    if (!this.#controller.signal.aborted) this.#controller.abort()
  }

  /** The promise, or the end of the attempt: a `fetch` of the caller's own need not know signals. */
  race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#controller
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(this.why)
      if (signal.aborted) stop()
      signal.addEventListener("abort", stop, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop))
    })
  }
}

export function networkError(error: unknown): HeadwaterError {
  if (error instanceof HeadwaterError) return error
  const told = error instanceof Error ? error.message : String(error)
  return new HeadwaterError("network", `no answer: ${told}`, { cause: error })
}

/** The error that a refusal tells, in a problem or by its status alone. */
export async function problemOf(response: Response): Promise<HeadwaterError> {
  const facts: Record<string, unknown> = await problemFields(response)
  for (const [header, name] of FACTS) {
    const value = response.headers.get(header)
    if (value !== null) facts[name] ??= value
  }
  // What servers of the protocol alone say in headers.
  if (response.status === 409 && facts.expected !== undefined) facts.code ??= "producer-gap"
  if (response.status === 403 && facts.epoch !== undefined) facts.code ??= "producer-fenced"
  if (response.status === 409 && facts.closed) facts.code ??= "stream-closed"
  facts.detail ??= `${response.status} for ${response.url}`
  return refusal(response.status, facts, { retryAfter: retryAfter(response.headers.get("retry-after")) })
}

async function problemFields(response: Response): Promise<Record<string, unknown>> {
  const type = response.headers.get("content-type") ?? ""
  if (!/json|^text\/plain/.test(type)) return {}
  const text = (await response.text().catch(() => "")).slice(0, MAX_PROBLEM)
  try {
    return { ...Object(JSON.parse(text)) }
  } catch {
    // A refusal without a readable body is one all the same.
    return text && !/json/.test(type) ? { detail: `${text.slice(0, 200)}: ${response.status} for ${response.url}` } : {}
  }
}

const FACTS = [
  ["stream-next-offset", "next_offset"],
  ["stream-earliest-offset", "earliest"],
  ["producer-epoch", "epoch"],
  ["producer-expected-seq", "expected"],
  ["stream-closed", "closed"],
] as const
