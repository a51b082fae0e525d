/** Requests that are repeated until they are answered; only those that may be. */

import type { Environment } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { Backoff, type Retry } from "./retry.ts"

/** Answers of something else, such as a login page, after which it is asked no more. */
export const BAD_ANSWERS = 3

/** Waits so long, or until the signal says stop. */
export function sleep(environment: Environment, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      disarm()
      reject(stopped("the signal was aborted", signal?.reason))
    }
    const disarm = environment.timer(ms, () => {
      signal?.removeEventListener("abort", stop)
      resolve()
    }, "pause")
    if (signal?.aborted) stop()
    else signal?.addEventListener("abort", stop, { once: true })
  })
}

/** What `call` gives, called until it works or fails for good. `again` is told whether an answer was lost before. */
export async function insist<R>(
  environment: Environment,
  retry: Retry,
  signal: AbortSignal | undefined,
  call: (again: boolean) => Promise<R>,
): Promise<R> {
  const backoff = new Backoff(retry, environment.random)
  let bad = 0
  for (let again = false; ; again = true) {
    try {
      backoff.begin(environment.now())
      return await call(again)
    } catch (error) {
      if (!(error instanceof HeadwaterError) || !error.retryable) throw error
      if (error.code === "bad-answer" && (bad += 1) >= BAD_ANSWERS) throw error
      const wait = backoff.end({ up: 0, heard: false, hint: error.retryAfter }, environment.now())
      if (wait === null) throw error
      await sleep(environment, wait, signal)
    }
  }
}
