/** When a component is told: once a frame of the screen at most, however fast records come. */

import type { Environment } from "../environment.ts"

/** Where there are no frames, and of a page that nobody sees. */
const TICK_MS = 17
/** Of screens that draw more often, every second frame. */
const LEAST_MS = 15
/** Frames that do not come, as of a page that was hidden or a frame that is scrolled away, are not waited for longer. */
const LATEST_MS = 250

export interface Frames {
  /** Asks for one call; asked for again before it comes, it is the same one. */
  ask(): void
  cancel(): void
}

export function framesOf(environment: Environment, call: () => void): Frames {
  let last = -Infinity
  let undo: (() => void) | undefined

  const run = (): void => {
    cancel()
    call()
  }

  const cancel = (): void => {
    undo?.()
    undo = undefined
  }

  const drawn = (): (() => void) => {
    const next = (now: number): void => {
      if (now - last < LEAST_MS) {
        id = requestAnimationFrame(next)
        return
      }
      last = now
      run()
    }
    let id = requestAnimationFrame(next)
    const disarm = environment.timer(LATEST_MS, run)
    return () => {
      cancelAnimationFrame(id)
      disarm()
    }
  }

  return {
    ask() {
      const isSeen = typeof requestAnimationFrame === "function" && !environment.hidden()
      undo ??= isSeen ? drawn() : environment.timer(TICK_MS, run)
    },
    cancel,
  }
}
