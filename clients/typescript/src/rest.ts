/** What reading needs now and then: other transports than events, and what refusals say. */

export { badAnswer, problemOf, refusal } from "./refusals.ts"
export { liveSse } from "./transports/live-sse.ts"
export { ndjson } from "./transports/ndjson.ts"
export { endOf } from "./transports/ends.ts"
export { longPoll } from "./transports/pages.ts"
export { answers, turn } from "./transports/turn.ts"
