/** The transports that are turned to when the first one does not come through; loaded then. */

export { liveSse } from "./live-sse.ts"
export { longPoll } from "./pages.ts"
