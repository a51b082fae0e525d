/**
 * When a reader turns to another transport; loaded when an attempt failed in a way that may be the transport's.
 *
 * Rule 1: three answers that are not what was asked for, or three that end within a second and bring nothing, or a head
 * behind which nothing comes, or no head at all while HEAD is answered: the last transport.
 * Rule 2: a server of the Durable Streams Protocol alone, which answers a plain read whatever is accepted, is read by
 * that protocol's own transports.
 */

import type { HeadwaterError } from "../errors.ts"
import { BAD_ANSWERS } from "../patience.ts"
import type { Requester } from "../request.ts"
import { type Choice, inSession, keyOf, known } from "./choice.ts"

const REMEMBERED = 30 * 60_000
const QUICK = 3
const ANSWERS_MS = 1000

/** Whether a small request is answered within a second. */
export const answers = (requester: Requester, url: string): Promise<boolean> =>
  requester.send({ url, method: "HEAD", limit: ANSWERS_MS }).then(
    ({ release }) => (release(), true),
    () => false,
  )

/** Looks at how an attempt ended, and moves if it must; false: there is none left. */
export async function turn(choice: Choice, { code, facts }: HeadwaterError, now: number): Promise<boolean> {
  const { door, wanted, auto, list, index } = choice
  const isBad = code === "bad-answer"
  choice.bad = isBad ? choice.bad + 1 : 0
  choice.quick = code === "truncated" ? choice.quick + 1 : 0
  if (isBad && facts.protocol && auto && isForeign(choice)) return true
  if (index + 1 >= list.length) return choice.bad < BAD_ANSWERS
  const hangs = code === "silent" ? facts.first : code === "connect-timeout" && wanted.length === 1 && (await door.answers?.())
  if (hangs || choice.bad >= BAD_ANSWERS || choice.quick >= QUICK) {
    choice.index = list.length - 1
    choice.until = now + REMEMBERED
    choice.bad = choice.quick = 0
    if (auto) remember(keyOf(door), choice.until)
  }
  return true
}

function isForeign(choice: Choice): boolean {
  const names = choice.live ? (["live-sse", "long-poll"] as const) : (["long-poll"] as const)
  if (choice.list[0]?.name === names[0]) return false
  choice.list = choice.door.transports(names, undefined, choice.live)
  choice.index = choice.bad = choice.quick = 0
  return true
}

function remember(key: string, until: number): void {
  known.set(key, until)
  inSession((session) => session.setItem(key, String(until)))
}
