/** What is written over HTTP, and asked about it. */

import type { HeadwaterError } from "./errors.ts"
import { httpDoor } from "./http.ts"
import type { Parts } from "./lazy.ts"
import { badAnswer } from "./refusals.ts"
import { type Fields, type Requester, ask } from "./request.ts"
import { retryOf } from "./retry.ts"
import type { Info, Write, Writes } from "./transport.ts"
import { failureOf } from "./transports/ends.ts"

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

export function httpWrites(requester: Requester, href: () => string, parts: Parts): Writes {
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
    sibling: (to) => httpDoor(new URL(to, href()), requester, parts),
  }
}
