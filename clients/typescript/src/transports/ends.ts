/** The end of a stream, as headers tell it. */

import { badAnswer } from "../refusals.ts"
import type { Offset, Wire } from "../transport.ts"

/** The reason of a failed stream, as headers have it. */
export function failureOf(headers: Headers): { code: string; message: string } | undefined {
  const code = headers.get("stream-failure")
  if (code === null) return undefined
  return { code, message: decodeURIComponent(headers.get("stream-failure-message") ?? "") }
}

/** The end of a stream, as headers tell it. `from`: where it is, if they do not say that. */
export function endOf(headers: Headers, from: Offset): Wire {
  const offset = headers.get("stream-next-offset") ?? from
  const failure = failureOf(headers)
  return failure ? { kind: "stream-failed", offset, ...failure } : { kind: "stream-closed", offset }
}

/** What came in place of a body of this type: the end of a stream that is complete and was read to its end, or no stream. */
export function inPlaceOf(accept: string, response: Response, from: Offset): Wire {
  if (response.status === 204) return endOf(response.headers, from)
  throw badAnswer(response, accept)
}
