/** What reading needs now and then: other transports than events, and what refusals say. */

import { HeadwaterError } from "./errors.ts"
import type { TransportFactory } from "./transport.ts"
import { liveSse } from "./transports/live-sse.ts"
import { enveloped, ndjson } from "./transports/ndjson.ts"
import { longPoll } from "./transports/pages.ts"

export { badRecord, problemOf, told, unreadable } from "./refusals.ts"
export { inPlaceOf } from "./transports/ends.ts"
export { quoted } from "./transports/quoted.ts"
export { choiceOf } from "./transports/turn.ts"

const TRANSPORTS: Record<string, TransportFactory> = { sse: enveloped, ndjson, "long-poll": longPoll, "live-sse": liveSse }

export function transportOf(name: string): TransportFactory {
  const found = TRANSPORTS[name]
  if (found) return found
  const line = 'import { connect } from "headwater/connection", or { eventsource } from "headwater/eventsource"'
  throw new HeadwaterError("unsupported", `the transport ${name} is not in the core; ${line}`)
}
