/** The body of a live answer, pulled: what is not asked for stays in the socket. */

import type { Environment } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { ASLEEP, BEATS, GRACE, SILENCE, TRUSTED_BEATS } from "./limits.ts"
import { type Answer, lost } from "./request.ts"

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
    if (change === "freeze") abort(new HeadwaterError("network", change))
    // A network that is back tells nothing about this connection; a beat that is missing does.
    else if (change !== "hidden" && change !== "offline" && quiet() > (silence * TRUSTED_BEATS) / BEATS) dead()
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
