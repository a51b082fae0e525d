/**
 * Which of several transports a reader uses, and when it turns to the next.
 *
 * Rule 1: three answers that are not what was asked for, or three that end within a second and bring nothing, or a head
 * behind which nothing comes, or no head at all while HEAD is answered: the next transport.
 * Rule 2: a server of the Durable Streams Protocol alone, which answers a plain read whatever is accepted, is read by
 * that protocol's own transports.
 * Rule 3: what was found out holds for the origin for half an hour; then the first one is tried again.
 */

import type { HeadwaterError } from "../errors.ts"
import { BAD_ANSWERS } from "../patience.ts"
import { absolute } from "../request.ts"
import type { Door, Transport, TransportChoice } from "../transport.ts"

const REMEMBERED = 30 * 60_000
const FIRST_BYTE = 3000
const QUICK = 3
const KEY = "headwater:transport:"

/** Beside the page's session, which may be closed to it or full, and which workers and Node have not. */
const known = new Map<string, number>()

const inSession = <R>(call: (session: Storage) => R): R | undefined => {
  try {
    return call(sessionStorage)
  } catch {
    return undefined
  }
}

/** Forgets what was found out; for tests. */
export const forget = (): void => known.clear()

export interface Choice {
  /** The one to use now. */
  current(now: number): Transport
  /** Milliseconds until the first byte, where there is another one to turn to. */
  first(): number | undefined
  /** Looks at how an attempt ended, and moves if it must; false: there is none left. */
  after(error: HeadwaterError, up: number, brought: boolean, now: number): Promise<boolean>
}

export function choiceOf(door: Door, wanted: readonly TransportChoice[], type: string | undefined, live: boolean, now: number): Choice {
  const { origin } = absolute(door.url)
  const auto = wanted.length === 1 && wanted[0] === "auto"
  let list = door.transports(wanted, type, live)
  let index = 0
  let until = 0
  let bad = 0
  let quick = 0

  const isLast = (): boolean => index + 1 >= list.length
  const use = (at: number, to: number): void => {
    index = at
    until = to
    bad = quick = 0
  }
  const isForeign = (): boolean => {
    const names = live ? (["live-sse", "long-poll"] as const) : (["long-poll"] as const)
    if (list[0]?.name === names[0]) return false
    list = door.transports(names, undefined, live)
    use(0, until)
    return true
  }

  if (auto) {
    const remembered = known.get(origin) ?? Number(inSession((session) => session.getItem(KEY + origin)))
    if (remembered > now) use(list.length - 1, remembered)
  }
  return {
    current(at) {
      if (until && at >= until) use(0, 0)
      return list[index] as Transport
    },
    first: () => (isLast() ? undefined : FIRST_BYTE),
    async after({ code, facts }, up, brought, at) {
      const isBad = code === "bad-answer"
      bad = isBad ? bad + 1 : 0
      quick = !brought && code === "truncated" && up < 1000 ? quick + 1 : 0
      if (isBad && facts.protocol && auto && isForeign()) return true
      if (isLast()) return bad < BAD_ANSWERS
      const hangs = code === "silent" ? facts.first : code === "connect-timeout" && wanted.length === 1 && (await door.answers?.())
      if (hangs || bad >= BAD_ANSWERS || quick >= QUICK) {
        use(list.length - 1, at + REMEMBERED)
        if (auto) {
          known.set(origin, until)
          inSession((session) => session.setItem(KEY + origin, String(until)))
        }
      }
      return true
    },
  }
}
