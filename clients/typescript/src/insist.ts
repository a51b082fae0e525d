/** Requests that are repeated until they are answered. */

import type { Environment } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { BAD_ANSWERS } from "./limits.ts"
import { pause } from "./patience.ts"
import { type Retry, backoffOf } from "./retry.ts"

/** What `call` gives, called until it works or fails for good. `again` is told whether an answer was lost before. */
export async function insist<R>(
  environment: Environment,
  retry: Retry,
  signal: AbortSignal | undefined,
  call: (again: boolean) => Promise<R>,
): Promise<R> {
  const backoff = backoffOf(retry, environment)
  let bad = 0
  for (let again = false; ; again = true) {
    try {
      backoff.begin()
      return await call(again)
    } catch (error) {
      if (!(error instanceof HeadwaterError) || !error.retryable) throw error
      if (error.code === "bad-answer" && (bad += 1) >= BAD_ANSWERS) throw error
      const wait = backoff.end({ hint: error.retryAfter })
      if (wait === null) throw error
      await pause(environment, backoff, wait, signal, undefined, error.retryAfter !== undefined)
    }
  }
}
