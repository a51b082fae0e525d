/** One request to one URL: its headers asked for anew, a limit until its head, one signal for each attempt. */

import type { Environment } from "./environment.ts"
import { HeadwaterError, causedBy } from "./errors.ts"
import type { Retry } from "./retry.ts"
import { onAbort } from "./signals.ts"

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

/** Headers, or the fields of a query; what is not defined is left out. */
export type Fields = Record<string, string | number | boolean | undefined>

/** What one request is, apart from what all of a stream's have in common. */
export interface Call {
  method?: string
  url: string
  headers?: Fields | undefined
  body?: BodyInit | undefined
  signal?: AbortSignal | undefined
  /** Milliseconds until the head, and the end of a refusal. */
  limit: number
}

/** An answer's head, and what ends its body. */
export interface Answer {
  response: Response
  /** Of the attempt: aborted when it is over. Its reason says why reading failed, if the client ended it. */
  signal: AbortSignal
  /** Ends the body; reading it then fails with this error. */
  abort(why: HeadwaterError): void
  /** The attempt is over: nothing is left behind. */
  release(): void
}

/** An absolute URL; relative ones are the page's or the worker's. */
export function absolute(url: string | URL): URL {
  // Not document.baseURI, which workers have not.
  return new URL(url, (globalThis as { location?: { href: string } }).location?.href)
}

export function fill(target: Headers | URLSearchParams, fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) target.set(name, String(value))
}

/** Makes the error that a refusal tells. */
export type Problem = (response: Response) => Promise<HeadwaterError>

export interface Sender {
  readonly options: RequestOptions
  /** Sends it, and again once with other headers after 401; the answer has any status. */
  send(call: Call): Promise<Answer>
}

export interface Requester extends Sender {
  readonly problem: Problem
}

/** Sends what is answered 2xx: everything else is an error. */
export async function ask(requester: Requester, call: Call): Promise<Answer> {
  const answer = await requester.send(call)
  if (answer.response.ok) return answer
  throw await requester.problem(answer.response).finally(answer.release)
}

export function senderOf(options: RequestOptions, environment: Environment): Sender {
  const { headers } = options

  const fetched = async ({ method = "GET", url, headers: own = {}, body }: Call, signal: AbortSignal): Promise<Response> => {
    const all = new Headers(typeof headers === "function" ? await headers() : headers)
    fill(all, own)
    const { credentials } = options
    // Not as a method: browsers refuse a `fetch` with another `this`.
    const send = options.fetch ?? fetch
    return send(url, { method, headers: all, body, credentials, signal, cache: "no-store" } as RequestInit)
  }

  const once = async (call: Call): Promise<Answer> => {
    const controller = new AbortController()
    const { signal } = controller
    const abort = (why: HeadwaterError): void => controller.abort(why)
    const undo = [options.signal, call.signal].map((each) => onAbort(each, abort))
    const disarm = environment.timer(call.limit, () => abort(new HeadwaterError("connect-timeout", `nothing came in ${call.limit} ms`)))
    const release = (): void => {
      disarm()
      for (const each of undo) each()
      controller.abort()
    }
    try {
      // A `fetch` of the caller's own need not know signals.
      const response = await new Promise<Response>((resolve, reject) => {
        onAbort(signal, reject)
        fetched(call, signal).then(resolve, reject)
      })
      // A refusal is read as a whole, within the same limit.
      if (response.ok) disarm()
      return { response, signal, abort, release }
    } catch (error) {
      const why = lost(signal, error)
      release()
      throw why
    }
  }

  return {
    options,
    async send(call) {
      const answer = await once(call)
      if (answer.response.status !== 401 || typeof headers !== "function") return answer
      answer.release()
      return once(call)
    },
  }
}

/** What an attempt failed by: what ended it, or what the platform says. */
export const lost = (signal: AbortSignal, told: unknown): HeadwaterError => causedBy(signal.reason ?? told, "network", "no answer")
