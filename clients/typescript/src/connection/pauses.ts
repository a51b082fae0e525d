/** Who waits to come back to a connection, and until when: an environment that writes it down. */

import type { Environment } from "../environment.ts"

export interface Pauses extends Environment {
  /** Who begins to wait does not: somebody asked to come back now. */
  isSkipped: boolean
  /** When the first one comes back. */
  readonly next: number | null
  /** All of them come back now. */
  end(): void
}

export function pausesOf(environment: Environment, changed: () => void): Pauses {
  const all = new Set<{ at: number; end: () => void }>()
  const self: Pauses = {
    ...environment,
    isSkipped: false,
    get next() {
      return all.size ? Math.min(...Array.from(all, ({ at }) => at)) : null
    },
    end: () => {
      for (const { end } of [...all]) end()
    },
    timer(ms, call, why) {
      if (why !== "pause") return environment.timer(ms, call)
      const left = self.isSkipped ? 0 : ms
      const leave = (): void => {
        disarm()
        all.delete(pause)
        changed()
      }
      const pause = { at: environment.now() + left, end: () => (leave(), call()) }
      const disarm = environment.timer(left, pause.end, why)
      all.add(pause)
      changed()
      return leave
    },
  }
  return self
}
