/** The way to a stream over HTTP. */

import { HeadwaterError } from "./errors.ts"
import { formOf } from "./records.ts"
import { type Answer, Requester, absolute } from "./request.ts"
import { type Retry, retryOf } from "./retry.ts"
import type { Door, Info, Transport, TransportChoice, TransportFactory, Write, Written } from "./transport.ts"
import { badAnswer } from "./transports/live.ts"
import { liveSse } from "./transports/live-sse.ts"
import { ndjson } from "./transports/ndjson.ts"
import { longPoll } from "./transports/pages.ts"
import { sse } from "./transports/sse.ts"

const CORE: Record<string, TransportFactory> = { sse, ndjson, "long-poll": longPoll, "live-sse": liveSse }

/** Transports of other entries, and how they are had. */
const ELSEWHERE: Record<string, string> = {
  websocket: 'import { connect } from "headwater/connection", then connect(url).stream(path)',
  eventsource: 'import { eventsource } from "headwater/eventsource", then { transport: eventsource }',
}

const ANSWERS_MS = 1000
const WRITE_MS = 60_000

export function infoOf(headers: Headers): Info {
  const optional = (name: string): string | undefined => headers.get(name) ?? undefined
  const code = optional("stream-failure")
  const ttl = optional("stream-ttl")
  const expires = optional("stream-expires-at")
  return {
    type: headers.get("content-type") ?? "",
    offset: headers.get("stream-next-offset") ?? "",
    earliest: optional("stream-earliest-offset"),
    closed: headers.get("stream-closed") === "true",
    failure:
      code === undefined ? undefined : { code, message: decodeURIComponent(headers.get("stream-failure-message") ?? "") },
    ttl: ttl === undefined ? undefined : Number(ttl),
    expiresAt: expires === undefined ? undefined : new Date(expires),
    retention: optional("stream-retention"),
    slow: optional("stream-slow"),
    etag: optional("etag"),
  }
}

export class HttpDoor implements Door {
  readonly url: string
  #requester: Requester
  #retry: Retry

  constructor(url: string | URL, requester: Requester) {
    this.url = String(url)
    this.#requester = requester
    this.#retry = retryOf(requester.options.retry)
  }

  /** Late, so that a stream can be named where there is no page yet. */
  get #href(): string {
    return absolute(this.url).href
  }

  get origin(): string {
    return absolute(this.url).origin
  }

  transports(wanted: readonly TransportChoice[], type: string | undefined, live: boolean): Transport[] {
    const json = type === undefined || formOf(type) === "json"
    const auto: TransportChoice[] = [live && json ? "sse" : "ndjson", "long-poll"]
    // Plain events do not say where the tail is.
    const names = wanted.flatMap((each) => (each === "auto" ? auto : [!live && each === "sse" ? "ndjson" : each]))
    return names.map((each) => {
      const make = typeof each === "function" ? each : CORE[each]
      if (!make) throw new HeadwaterError("unsupported", `the transport ${String(each)} is not here: ${ELSEWHERE[String(each)] ?? "there is none of this name"}`)
      return make(this.#requester, this.#href)
    })
  }

  async answers(): Promise<boolean> {
    try {
      const answer = await this.#requester.send({ url: this.#href, method: "HEAD", limit: ANSWERS_MS })
      answer.release()
      return true
    } catch {
      return false
    }
  }

  async write(write: Write, signal?: AbortSignal): Promise<Written> {
    const headers: Record<string, string> = { ...write.create }
    if (write.create) headers["stream-create"] = "true"
    if (write.body && write.type) headers["content-type"] = write.type
    else if (write.create && write.type) headers["content-type"] = write.type
    if (write.producer) {
      const [id, epoch, seq] = write.producer
      headers["producer-id"] = id
      headers["producer-epoch"] = String(epoch)
      headers["producer-seq"] = String(seq)
    }
    if (write.close || write.fail) headers["stream-closed"] = "true"
    if (write.fail) {
      headers["stream-failure"] = write.fail.code
      if (write.fail.message) headers["stream-failure-message"] = encodeURIComponent(write.fail.message)
    }
    const answer = await this.#ask("POST", headers, write.body, signal)
    const { response } = answer
    return {
      offset: response.headers.get("stream-next-offset") ?? "",
      duplicate: write.producer !== undefined && response.status === 204 && write.body !== undefined,
    }
  }

  async create(headers: Record<string, string>, body: Uint8Array | undefined, signal?: AbortSignal): Promise<Info> {
    const answer = await this.#ask("PUT", headers, body, signal)
    return infoOf(answer.response.headers)
  }

  async head(signal?: AbortSignal): Promise<Info | null> {
    try {
      const answer = await this.#ask("HEAD", {}, undefined, signal)
      return infoOf(answer.response.headers)
    } catch (error) {
      if (error instanceof HeadwaterError && error.status === 404) return null
      throw error
    }
  }

  async delete(signal?: AbortSignal): Promise<void> {
    await this.#ask("DELETE", {}, undefined, signal)
  }

  sibling(url: string): Door {
    return new HttpDoor(new URL(url, this.#href), this.#requester)
  }

  async #ask(method: string, headers: Record<string, string>, body: Uint8Array | undefined, signal?: AbortSignal): Promise<Answer> {
    const answer = await this.#requester.ask({
      method,
      url: this.#href,
      headers,
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      signal,
      // A body takes the time it takes; what waits behind it is the head.
      limit: this.#retry.connect + (body ? WRITE_MS : 0),
    })
    answer.release()
    // A login page is answered 200, too.
    const { headers: told, status } = answer.response
    if (status !== 204 && !told.has("stream-next-offset")) throw badAnswer(answer.response, "what a stream's server says")
    return answer
  }
}
