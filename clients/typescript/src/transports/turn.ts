/**
 * Which of several transports a reader uses; loaded when an attempt failed in a way that may be the transport's.
 *
 * Rule 1: three answers that are not what was asked for, or three that end within a second and bring nothing, or a head
 * behind which nothing comes, or no head at all while HEAD is answered: the last transport.
 * Rule 2: a server of the Durable Streams Protocol alone, which answers a plain read whatever is accepted, is read by
 * that protocol's own transports.
 * Rule 3: what was found out holds for the origin for half an hour; then the first one is tried again.
 */

import type { HeadwaterError } from "../errors.ts"
import { BAD_ANSWERS } from "../limits.ts"
import { absolute } from "../request.ts"
import type { Door, Transport, TransportChoice } from "../transport.ts"
import { keyOf, known, knownUntil } from "./choice.ts"

const REMEMBERED = 30 * 60_000
const QUICK = 3
const ANSWERS_MS = 1000

export interface Choice {
  /** The one to use now, and whether there is another one to turn to. */
  current(now: number): [transport: Transport, hasNext: boolean]
  /** An attempt ended in a way that says nothing of its transport. */
  settle(): void
  /** Looks at how an attempt ended, and moves if it must; false: there is none left. */
  after(error: HeadwaterError, now: number): Promise<boolean>
}

/** `list`: those that are wanted. */
export function choiceOf(door: Door, wanted: readonly TransportChoice[], live: boolean, list: Transport[], now: number): Choice {
  const auto = wanted.length === 1 && wanted[0] === "auto"
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

  const remembered = auto ? knownUntil(door) : 0
  if (remembered > now) use(list.length - 1, remembered)
  return {
    current(at) {
      if (until && at >= until) use(0, 0)
      return [list[index] as Transport, !isLast()]
    },
    settle: () => use(index, until),
    async after({ code, facts }, at) {
      const isBad = code === "bad-answer"
      bad = isBad ? bad + 1 : 0
      quick = code === "truncated" ? quick + 1 : 0
      if (isBad && facts.protocol && auto && isForeign()) return true
      if (isLast()) return bad < BAD_ANSWERS
      const hangs = code === "silent" ? facts.first : code === "connect-timeout" && wanted.length === 1 && (await answers(door))
      if (hangs || bad >= BAD_ANSWERS || quick >= QUICK) {
        use(list.length - 1, at + REMEMBERED)
        if (auto) remember(keyOf(door), until)
      }
      return true
    },
  }
}

function remember(key: string, until: number): void {
  known.set(key, until)
  try {
    sessionStorage.setItem(key, String(until))
  } catch {
    // It is full, or there is none.
  }
}

/** Whether a small request is answered within a second. */
const answers = async ({ requester, url }: Door): Promise<boolean | undefined> =>
  requester?.send({ url: absolute(url).href, method: "HEAD", limit: ANSWERS_MS }).then(
    ({ release }) => (release(), true),
    () => false,
  )
