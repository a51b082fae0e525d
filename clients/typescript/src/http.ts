/** The way to a stream over HTTP. */

import { HeadwaterError } from "./errors.ts"
import { formOf } from "./records.ts"
import { type Fields, type Requester, absolute, ask } from "./request.ts"
import { retryOf } from "./retry.ts"
import type { Door, Info, TransportChoice, TransportFactory, Write } from "./transport.ts"
import { failureOf } from "./transports/control.ts"
import { badAnswer } from "./transports/live.ts"
import { liveSse } from "./transports/live-sse.ts"
import { ndjson } from "./transports/ndjson.ts"
import { longPoll } from "./transports/pages.ts"
import { sse } from "./transports/sse.ts"

const CORE: Record<string, TransportFactory> = { sse, ndjson, "long-poll": longPoll, "live-sse": liveSse }

/** Those of other entries. */
const ELSEWHERE = 'is not in the core; import { connect } from "headwater/connection", or { eventsource } from "headwater/eventsource"'

const ANSWERS_MS = 1000
const WRITE_MS = 60_000

function infoOf(headers: Headers): Info {
  const optional = (name: string): string | undefined => headers.get(name) ?? undefined
  const ttl = optional("stream-ttl")
  const expires = optional("stream-expires-at")
  return {
    type: optional("content-type") ?? "",
    offset: optional("stream-next-offset") ?? "",
    earliest: optional("stream-earliest-offset"),
    closed: optional("stream-closed") === "true",
    failure: failureOf(headers),
    ttl: ttl ? Number(ttl) : undefined,
    expiresAt: expires ? new Date(expires) : undefined,
    retention: optional("stream-retention"),
    slow: optional("stream-slow"),
    etag: optional("etag"),
  }
}

export function httpDoor(url: string | URL, requester: Requester): Door {
  // Late, so that a stream can be named where there is no page yet.
  const href = (): string => absolute(url).href

  /** Its answer, that has no body of interest. */
  const asked = async (method: string, signal?: AbortSignal, headers?: Fields, body?: Uint8Array): Promise<Response> => {
    // A body takes the time it takes; what waits behind it is the head.
    const limit = retryOf(requester.options.retry).connect + (body ? WRITE_MS : 0)
    const { response, release } = await ask(requester, { method, url: href(), headers, body: body as Uint8Array<ArrayBuffer>, signal, limit })
    release()
    // A login page is answered 200, too.
    if (response.status !== 204 && !response.headers.has("stream-next-offset")) throw badAnswer(response, "what a stream's server says")
    return response
  }

  return {
    url: String(url),
    transports(wanted, type, live) {
      const auto: TransportChoice[] = [formOf(type) === "json" ? "sse" : "ndjson", "long-poll"]
      const all = wanted.flatMap((each) => (each === "auto" ? auto : [each]))
      return all.map((each) => {
        // Plain events do not say where the tail is.
        const make = typeof each === "function" ? each : CORE[!live && each === "sse" ? "ndjson" : each]
        if (make) return make(requester, href())
        throw new HeadwaterError("unsupported", `the transport ${String(each)} ${ELSEWHERE}`)
      })
    },
    answers: () =>
      requester.send({ url: href(), method: "HEAD", limit: ANSWERS_MS }).then(
        ({ release }) => (release(), true),
        () => false,
      ),
    async write({ body, type, producer, close, fail, create }: Write, signal) {
      const [id, epoch, seq] = producer ?? []
      const headers: Fields = {
        ...create,
        "stream-create": create && true,
        "content-type": body || create ? type : undefined,
        "producer-id": id,
        "producer-epoch": epoch,
        "producer-seq": seq,
        "stream-closed": close || undefined,
        "stream-failure": fail?.code,
        "stream-failure-message": fail?.message ? encodeURIComponent(fail.message) : undefined,
      }
      const response = await asked("POST", signal, headers, body)
      return { offset: response.headers.get("stream-next-offset") ?? "" }
    },
    create: async (headers, body, signal) => infoOf((await asked("PUT", signal, headers, body)).headers),
    async head(signal) {
      try {
        return infoOf((await asked("HEAD", signal)).headers)
      } catch (error) {
        if ((error as HeadwaterError).status === 404) return null
        throw error
      }
    },
    delete: async (signal) => void (await asked("DELETE", signal)),
    sibling: (to) => httpDoor(new URL(to, href()), requester),
  }
}
