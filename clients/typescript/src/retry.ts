/**
 * When to try again: a state machine, by the clock and the chance of its environment.
 *
 * Rule 1: an attempt that moved the offset forward waits random(0, base), however many failed before it.
 * Rule 2: one that did not counts, and waits random(0, min(cap, base x 2^n)): full jitter, from 0. Nor longer than four
 * times base and twice the trouble so far: who drew short waits at first is not to draw half a minute after a few seconds.
 * Rule 3: the count starts anew then, and after `stable` ms of a connection on which something was heard. Never at "connected":
 * a proxy connects for a dead server, and a server that answers and closes would be asked in a hot loop.
 * Rule 4: what the server asks to wait is a floor. What it asks of all alike is spread by a third; a place of one's own is not.
 * Rule 5: an end that the server planned costs nothing, but there is one a second at most.
 * Rule 6: whatever else happens, in a minute there are at most PACE requests that bring nothing.
 */

import type { Environment } from "./environment.ts"
import { MINUTE, PACE, PLANNED } from "./limits.ts"

export interface Retry {
  /** Milliseconds of the first wait at most; 1,000. */
  base: number
  /** Milliseconds of any wait at most, unless the server asks for more; 30,000. */
  cap: number
  /** Attempts in a row that bring nothing, after which to give up; Infinity. */
  attempts: number
  /** Milliseconds without one success, after which to give up; Infinity. */
  deadline: number
  /** Milliseconds a connection is up before the count starts anew; 5,000. */
  stable: number
  /** Milliseconds until the head of an answer; 10,000. */
  connect: number
  /** Milliseconds without a byte on a live answer; two and a half of the server's heartbeats. */
  silence: number
}

/** The rules as the caller wants them; `false` tries once. */
export function retryOf(option: Partial<Retry> | false | undefined): Retry {
  const usual = { base: 1000, cap: 30_000, attempts: Infinity, deadline: Infinity, stable: 5000, connect: 10_000, silence: 0 }
  return { ...usual, ...(option === false ? { attempts: 0 } : option) }
}

/** How an attempt ended. */
export interface Outcome {
  /** Milliseconds from its head on. */
  up?: number
  /** Whether anything was heard behind the head: a record, a control, a heartbeat. */
  heard?: boolean
  /** Whether the server meant it to end. */
  planned?: boolean
  /** Milliseconds the server asks to wait. */
  hint?: number | undefined
  /** Whether the hint is for this client alone. */
  personal?: boolean
}

export interface Backoff {
  /** Attempts in a row that brought nothing. */
  count: number
  /** A request is sent. */
  begin(): void
  /** The offset moved forward, or a write was acknowledged. */
  progress(): void
  /** Milliseconds to wait before the next attempt; null: give up. */
  end(outcome: Outcome): number | null
  /** Milliseconds to wait although something woke the client: rule 6 holds in any case. */
  held(): number
}

export function backoffOf({ base, cap, stable, attempts, deadline }: Retry, { now, random }: Pick<Environment, "now" | "random">): Backoff {
  /** When the last requests began that brought nothing. */
  let begun: number[] = []
  let brought = false
  let success: number | undefined
  let lastPlanned = -Infinity
  const self: Backoff = {
    count: 0,
    begin() {
      begun = [...begun.slice(1 - PACE), now()]
      success ??= now()
      brought = false
    },
    progress() {
      success = now()
      self.count = 0
      brought = true
      begun = []
    },
    held: () => (begun.length < PACE ? 0 : Math.max(0, (begun[0] as number) + MINUTE - now())),
    end({ up = 0, heard, planned, hint, personal }) {
      const at = now()
      const steady = up >= stable && heard
      if (steady) {
        self.count = 0
        success = at
      }
      const trouble = at - (success ?? at)
      let wait: number
      if (planned && (brought || steady)) wait = Math.max(0, lastPlanned + PLANNED - at)
      else if (brought) wait = random() * base
      else wait = random() * Math.min(planned ? stable : cap, 4 * base + 2 * trouble, base * 2 ** self.count++)
      if (planned) lastPlanned = at + wait
      if (hint) wait = Math.max(wait, hint * (personal ? 1 : 1 + 0.3 * random()))
      wait = Math.max(wait, self.held())
      return self.count > attempts || wait + trouble > deadline ? null : wait
    },
  }
  return self
}
