/**
 * When to try again: a state machine, by the clock and the chance of its environment.
 *
 * Rule 1: an attempt that moved the offset forward waits random(0, base), however many failed before it.
 * Rule 2: one that did not counts, and waits random(0, min(cap, base x 2^n)): full jitter, from 0. Nor longer than
 * twice base and the trouble so far: who drew short waits at first is not to draw half a minute after a few seconds.
 * Rule 3: the count starts anew then, and after `stable` ms of a connection on which something was heard. Never at "connected":
 * a proxy connects for a dead server, and a server that answers and closes would be asked in a hot loop.
 * Rule 4: what the server asks to wait is a floor. What it asks of all alike is spread by a third; a place of one's own is not.
 * Rule 5: an end that the server planned costs nothing, but there is one a second at most.
 * Rule 6: whoever waited a short part of the first bound waits a long part of the second. Two short waits would bring a part of a
 * crowd back twice in the first second of an outage. Each wait by itself is as random as any other.
 * Rule 7: whatever happens, in any minute there are at most PACE requests that bring nothing. The second half of them is spread over
 * what is left of the minute: who has used up all of them at once would wait for most of one.
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
  const attempts = option === false ? 0 : Infinity
  return { base: 1000, cap: 30_000, attempts, deadline: Infinity, stable: 5000, connect: 10_000, silence: 0, ...option }
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
  /** Something makes another attempt worth it at once: milliseconds to wait all the same, as rule 7 holds in any case. */
  woken(): number
}

export function backoffOf({ base, cap, stable, attempts, deadline }: Retry, { now, random }: Pick<Environment, "now" | "random">): Backoff {
  /** When requests began that brought nothing. */
  let begun: number[] = []
  /** Whether anything was brought since the last end: of several requests at once each may be the one. */
  let brought = false
  /** Of its bound, the last wait. */
  let part: number
  /** Waits since something good; the next one is up to base x 2^step. */
  let step = 0
  /** When the trouble began. */
  let since: number | undefined
  const room = (): number => {
    const past = now() - MINUTE
    begun = begun.filter((at) => at > past)
    const left = PACE - begun.length
    return 2 * left < PACE ? ((begun[0] as number) - past) / Math.max(1, left + 1) : 0
  }
  const self: Backoff = {
    count: 0,
    begin: () => void begun.push(now()),
    progress() {
      begun = []
      brought = true
      self.count = 0
    },
    woken: () => ((self.count = step = 0), room()),
    end({ up = 0, heard, planned, hint, personal }) {
      const at = now()
      const steady = brought || (up >= stable && heard)
      if (steady) {
        self.count = step = 0
        since = at
      }
      const trouble = at - (since ??= at)
      let wait = PLANNED - up
      if (!planned || !steady) {
        part = step === 1 ? 1 - part : random()
        wait = part * Math.min(planned ? stable : cap, 2 * (base + trouble), base * 2 ** step++)
        if (!brought) self.count++
      }
      brought = false
      wait = Math.max(wait, room(), (hint || 0) * (personal ? 1 : 1 + 0.3 * random()))
      return self.count > attempts || wait + trouble > deadline ? null : wait
    },
  }
  return self
}
