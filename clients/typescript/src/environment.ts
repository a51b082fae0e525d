/** What of the world the client sees: a clock, chance, and what happens to the page. Tests put their own in its place. */

import { LONGEST } from "./limits.ts"

/** What happens to a page or a network. */
export type Change = "online" | "offline" | "visible" | "hidden" | "freeze" | "resume"

export interface Environment {
  /** Milliseconds since any fixed moment; also while the machine sleeps. */
  now(): number
  /** Calls once, after so many milliseconds at the earliest; gives what cancels it. `pause`: the client waits to try again. */
  timer(ms: number, call: () => void, why?: "pause"): () => void
  /** From 0 up to 1. */
  random(): number
  /** False only where the platform says that there is no network. It may lie. */
  online(): boolean
  /** Whether nobody sees the page. */
  hidden(): boolean
  /** Tells what happens from now on; gives what ends that. */
  watch(call: (change: Change) => void): () => void
}

type Events = Pick<EventTarget, "addEventListener" | "removeEventListener">
type World = Partial<Events> & {
  document?: { visibilityState?: string }
  navigator?: { onLine?: boolean }
}

const world = globalThis as unknown as World

function timer(ms: number, call: () => void): () => void {
  let id: ReturnType<typeof setTimeout>
  const arm = (left: number): void => {
    id = setTimeout(() => (left > LONGEST ? arm(left - LONGEST) : call()), Math.min(left, LONGEST))
  }
  arm(ms)
  return () => clearTimeout(id)
}

const hidden = (): boolean => world.document?.visibilityState === "hidden"

// Never `unload` or `beforeunload`: with them a page is not kept for the back button.
const CHANGES = ["online", "offline", "pagehide", "pageshow", "freeze", "resume", "visibilitychange"]

function watch(call: (change: Change) => void): () => void {
  const listener = ({ type, persisted }: Event & { persisted?: boolean }): void => {
    if (type === "visibilitychange") call(hidden() ? "hidden" : "visible")
    else if (!/^page/.test(type)) call(type as Change)
    else if (persisted) call(type === "pagehide" ? "freeze" : "resume")
  }
  // Those of the document are heard on their way down to it.
  const each = (method: keyof Events): void => CHANGES.forEach((type) => world[method]?.(type, listener, true))
  each("addEventListener")
  return () => each("removeEventListener")
}

/** The platform's own: browsers, workers, Node, Deno and Bun. */
export const platform: Environment = {
  now: () => Date.now(),
  timer,
  random: Math.random,
  online: () => world.navigator?.onLine !== false,
  hidden,
  watch,
}
