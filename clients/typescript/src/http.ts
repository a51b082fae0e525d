/** The way to a stream over HTTP. */

import { type Parts, load } from "./lazy.ts"
import { formOf } from "./records.ts"
import { type Requester, absolute } from "./request.ts"
import type { Door, Transport, TransportChoice } from "./transport.ts"
import { sse } from "./transports/sse.ts"

export function httpDoor(url: string | URL, requester: Requester, parts: Parts): Door {
  // Late, so that a stream can be named where there is no page yet.
  const href = (): string => absolute(url).href

  /** A transport that is loaded when it is opened. */
  const later = (name: string): Transport => ({
    name,
    async *open(attempt) {
      yield* (await load(parts.rest)).transportOf(name)(requester, href()).open(attempt)
    },
  })

  return {
    url: String(url),
    transports(wanted, type, live, envelope) {
      const auto: TransportChoice[] = [formOf(type) === "json" ? "sse" : "ndjson", "long-poll"]
      const all = wanted.flatMap((each) => (each === "auto" ? auto : each))
      return all.map((each) => {
        if (typeof each === "function") return each(requester, href())
        // Plain events do not say where the tail is.
        return each !== "sse" ? later(each) : !live ? later("ndjson") : envelope ? later(each) : sse(requester, href())
      })
    },
    requester,
    writes: async () => (await load(parts.writing)).httpWrites(requester, href, parts),
  }
}
