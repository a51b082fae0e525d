/** The body of a live answer, pulled: what is not asked for stays in the socket. */

import type { Environment } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { type Answer, lost } from "./request.ts"

/** A timer that fires this late, in ms, was asleep with the machine: it says "look", not "dead". */
const ASLEEP = 1000
/** Milliseconds to hear something then. */
const GRACE = 3000
/** A heartbeat is sent as often as this in the time after which silence is the end. */
const BEATS = 2.5
/** 1.2 heartbeats of those: a beat is missing. */
const MISSED = 1.2 / BEATS
/** The silence of a server that tells no heartbeat: as of the usual one of 15 s. */
const SILENCE = 37_500

export interface Body {
  /** The next bytes; undefined at the end. */
  read(): Promise<Uint8Array | undefined>
  /** Nothing more is read. */
  release(): void
}

/**
 * `own`: milliseconds without a byte after which the connection is dead, in place of what the server's heartbeat says;
 * `until`: milliseconds until the first byte, where there is another limit; `usual`: as `own`, where the server says nothing.
 */
export function bodyOf(
  { response, signal, abort, release }: Answer,
  environment: Environment,
  own: number,
  until?: number,
  usual: number = SILENCE,
): Body {
  const reader = response.body?.getReader()
  const beat = Number(response.headers.get("stream-heartbeat")) * 1000
  const silence = own || BEATS * beat || usual
  let began = Infinity
  let first = true

  const quiet = (): number => environment.now() - began
  const dead = (): void => abort(new HeadwaterError("silent", `nothing came in ${quiet()} ms`, { facts: { first } }))
  const unwatch = environment.watch((change) => {
    if (change === "freeze") abort(new HeadwaterError("network", "the page is put away"))
    // A network that is back tells nothing about this connection; a beat that is missing does.
    else if (change !== "hidden" && change !== "offline" && quiet() > silence * MISSED) dead()
  })
  // A `fetch` of the caller's own need not know signals.
  signal.addEventListener("abort", () => void reader?.cancel().catch(() => undefined))

  return {
    async read() {
      const limit = (first && until) || silence
      began = environment.now()
      let disarm = environment.timer(limit, () => {
        if (quiet() < limit + ASLEEP) dead()
        else disarm = environment.timer(GRACE, dead)
      })
      try {
        const read = await reader?.read()
        first = false
        signal.throwIfAborted()
        return read?.value
      } catch (error) {
        throw lost(signal, error)
      } finally {
        began = Infinity
        disarm()
      }
    },
    release() {
      unwatch()
      release()
    },
  }
}
