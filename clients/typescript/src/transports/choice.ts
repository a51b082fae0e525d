/**
 * Which of several transports a reader uses.
 *
 * Rule 1: what says nothing about a transport, such as a lost network, is settled here. All else is for `turn`, which is loaded then.
 * Rule 2: what was found out holds for the origin for half an hour; then the first one is tried again.
 */

import type { HeadwaterError } from "../errors.ts"
import { type Parts, load } from "../lazy.ts"
import { BAD_ANSWERS } from "../patience.ts"
import { absolute } from "../request.ts"
import type { Door, Transport, TransportChoice } from "../transport.ts"

const FIRST_BYTE = 3000
/** An answer that ends sooner than this, in ms, and brings nothing, is quick. */
const QUICK_MS = 1000

/** Until when an origin is read by the last transport; beside the page's session, which may be closed to it or full. */
export const known: Map<string, number> = new Map<string, number>()

/** Forgets what was found out; for tests. */
export const forget = (): void => known.clear()

/** By what an origin is known. */
export const keyOf = (door: Door): string => `headwater:transport:${absolute(door.url).origin}`

/** The page's session, which workers and Node have not. */
export const inSession = <R>(call: (session: Storage) => R): R | undefined => {
  try {
    return call(sessionStorage)
  } catch {
    return undefined
  }
}

export interface Choice {
  readonly door: Door
  readonly wanted: readonly TransportChoice[]
  readonly live: boolean
  /** Nobody said which. */
  readonly auto: boolean
  list: Transport[]
  /** The one that is used, and until when, if it is not the first. */
  index: number
  until: number
  /** In a row: answers that are not what was asked for, and answers that are quick. */
  bad: number
  quick: number
  /** The one to use now. */
  current(now: number): Transport
  /** Milliseconds until the first byte, where there is another one to turn to. */
  first(): number | undefined
  /** Looks at how an attempt ended, and moves if it must; false: there is none left. */
  after(error: HeadwaterError, up: number, brought: boolean, now: number): Promise<boolean>
}

export function choiceOf(
  door: Door,
  wanted: readonly TransportChoice[],
  type: string | undefined,
  live: boolean,
  parts: Parts,
  now: number,
): Choice {
  const auto = wanted.length === 1 && wanted[0] === "auto"
  const list = door.transports(wanted, type, live)
  const key = keyOf(door)
  const remembered = auto ? (known.get(key) ?? Number(inSession((session) => session.getItem(key)))) : 0
  const isKnown = remembered > now
  const self: Choice = {
    door,
    wanted,
    live,
    auto,
    list,
    index: isKnown ? list.length - 1 : 0,
    until: isKnown ? remembered : 0,
    bad: 0,
    quick: 0,
    current(at) {
      if (self.until && at >= self.until) self.index = self.until = self.bad = self.quick = 0
      return self.list[self.index] as Transport
    },
    first: () => (self.list[self.index + 1] ? FIRST_BYTE : undefined),
    async after(error, up, brought, at) {
      const { code } = error
      if (code === "network" || (code === "truncated" && (brought || up >= QUICK_MS))) {
        self.bad = self.quick = 0
        return true
      }
      const rest = await load(parts.rest).catch(() => undefined)
      return rest ? rest.turn(self, error, at) : code !== "bad-answer" || ++self.bad < BAD_ANSWERS
    },
  }
  return self
}
