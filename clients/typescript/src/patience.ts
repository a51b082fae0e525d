/** Waiting: for a time, for what ends it early, and with requests that are repeated until they are answered. */

import type { Change, Environment } from "./environment.ts"
import { BACK } from "./limits.ts"
import type { Backoff } from "./retry.ts"
import { onAbort } from "./signals.ts"

/** Waits so long, until the signal says stop, or, unless it is deaf, until the network or the person before the page is back. */
export function pause(
  environment: Environment,
  backoff: Backoff,
  ms: number,
  signal: AbortSignal | undefined,
  tell?: (until: number, change?: Change) => void,
  deaf?: boolean,
): Promise<void> {
  const undo: (() => void)[] = []
  return new Promise<void>((resolve) => {
    let until: number
    const arm = (time: number): void => {
      until = environment.now() + time
      undo.push(environment.timer(time, resolve, "pause"))
      tell?.(until)
    }
    arm(ms)
    const changed = (change: Change): void => {
      tell?.(until, change)
      // Online, visible, resume.
      if (deaf || !/^(on|v|r)/.test(change)) return
      arm(Math.max(change === "online" ? environment.random() * BACK : 0, backoff.woken()))
    }
    undo.push(onAbort(signal, () => resolve()), environment.watch(changed))
  }).finally(() => {
    for (const each of undo) each()
  })
}

/** Waits so long, whatever happens but that the signal says stop; then it rejects. */
export const sleep = (environment: Environment, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const disarm = environment.timer(
      ms,
      () => {
        ignore()
        resolve()
      },
      "pause",
    )
    const ignore = onAbort(signal, (why) => {
      disarm()
      reject(why)
    })
  })
