/** The way to a stream over HTTP. */

import { HeadwaterError } from "./errors.ts"
import { type Parts, load } from "./lazy.ts"
import { formOf } from "./records.ts"
import { type Requester, absolute } from "./request.ts"
import type { Door, TransportChoice, TransportFactory } from "./transport.ts"
import { sse } from "./transports/sse.ts"

/** Those of other entries. */
const ELSEWHERE = 'is not in the core; import { connect } from "headwater/connection", or { eventsource } from "headwater/eventsource"'

export function httpDoor(url: string | URL, requester: Requester, parts: Parts): Door {
  // Late, so that a stream can be named where there is no page yet.
  const href = (): string => absolute(url).href

  /** A transport that is loaded when it is opened. */
  const later =
    (name: string, of: "ndjson" | "longPoll" | "liveSse"): TransportFactory =>
    (...given) => ({
      name,
      async *open(attempt) {
        yield* (await load(parts.rest))[of](...given).open(attempt)
      },
    })

  const core: Record<string, TransportFactory> = {
    sse,
    ndjson: later("ndjson", "ndjson"),
    "long-poll": later("long-poll", "longPoll"),
    "live-sse": later("live-sse", "liveSse"),
  }

  return {
    url: String(url),
    transports(wanted, type, live) {
      const auto: TransportChoice[] = [formOf(type) === "json" ? "sse" : "ndjson", "long-poll"]
      const all = wanted.flatMap((each) => (each === "auto" ? auto : [each]))
      return all.map((each) => {
        // Plain events do not say where the tail is.
        const make = typeof each === "function" ? each : core[!live && each === "sse" ? "ndjson" : each]
        if (make) return make(requester, href())
        throw new HeadwaterError("unsupported", `the transport ${String(each)} ${ELSEWHERE}`)
      })
    },
    answers: async () => (await load(parts.rest)).answers(requester, href()),
    writes: async () => (await load(parts.writing)).httpWrites(requester, href),
    sibling: (to) => httpDoor(new URL(to, href()), requester, parts),
  }
}
