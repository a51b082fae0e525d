/** What is remembered of an origin: that its streams come by the last transport, until when. */

import { absolute } from "../request.ts"
import type { Door } from "../transport.ts"

/** Beside the page's session, which may be closed to it or full. */
export const known: Map<string, number> = new Map<string, number>()

/** Forgets what was found out; for tests. */
export const forget = (): void => known.clear()

export const keyOf = (door: Door): string => `headwater:transport:${absolute(door.url).origin}`

/** In milliseconds of the clock; 0 or no number: never. */
export const knownUntil = (door: Door): number => {
  const key = keyOf(door)
  try {
    return known.get(key) ?? Number(sessionStorage.getItem(key))
  } catch {
    // Workers and Node have none.
    return 0
  }
}
