/** The platform with a clock whose pauses take no time, and are written down. */

import { type Environment, platform } from "../src/environment.ts"

export interface Paused extends Environment {
  /** Milliseconds of each pause so far, by the client's clock. */
  readonly pauses: number[]
  /** Called at each pause. */
  onPause: ((count: number) => void) | undefined
}

export function pausing(skip: boolean): Paused {
  let skipped = 0
  const pauses: number[] = []
  const self: Paused = {
    ...platform,
    pauses,
    onPause: undefined,
    now: () => platform.now() + skipped,
    timer(ms, call, why) {
      if (why !== "pause") return platform.timer(ms, call)
      pauses.push(ms)
      self.onPause?.(pauses.length)
      if (!skip) return platform.timer(ms, call)
      // Not at once: what started the pause has not finished yet.
      const id = setTimeout(() => {
        skipped += ms
        call()
      })
      return () => clearTimeout(id)
    },
  }
  return self
}
