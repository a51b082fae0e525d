/** Records of events that are not JSON: JSON strings, or base64. */

import { type Raw, fromBase64 } from "../records.ts"

/** Makes the record of an event's data. `base64`: all of them are. */
export const quoted =
  (base64: boolean) =>
  (data: string): Raw => {
    const value = JSON.parse(data) as string | { base64: string }
    if (typeof value !== "string") return fromBase64(value.base64)
    return base64 ? fromBase64(value) : value
  }
