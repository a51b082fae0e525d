/** What ends things: abort signals, listened to without leaving anything behind. */

import { HeadwaterError, stopped } from "./errors.ts"

/** Calls when the signal says stop, also when it did before, with the reason; gives what ends that. */
export function onAbort(signal: AbortSignal | undefined, call: (why: HeadwaterError) => void): () => void {
  const listener = (): void => {
    const reason: unknown = signal?.reason
    call(reason instanceof HeadwaterError ? reason : stopped("aborted", reason))
  }
  signal?.addEventListener("abort", listener)
  if (signal?.aborted) listener()
  return () => signal?.removeEventListener("abort", listener)
}
