/**
 * What is loaded when it is first wanted: what writes, and the transports that are turned to when the first one does not come
 * through.
 *
 * Rule: what could not be loaded is a lost network. It is asked for again by the rules of trying again, and nothing was sent.
 */

import { causedBy } from "./errors.ts"

export interface Parts {
  writing(): Promise<typeof import("./writing.ts")>
  others(): Promise<typeof import("./transports/others.ts")>
}

export const lazy: Parts = {
  writing: () => import("./writing.ts"),
  others: () => import("./transports/others.ts"),
}

export const load = async <P>(part: () => Promise<P>): Promise<P> => {
  try {
    return await part()
  } catch (cause) {
    throw causedBy(cause, "network", "a part of this client was not loaded")
  }
}
