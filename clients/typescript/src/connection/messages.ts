/** The messages of a connection, in JSON; see docs/reference/websocket-messages.md. */

import { causedBy } from "../errors.ts"
import type { Offset, Principal, WireRecord } from "../transport.ts"

export const SUBPROTOCOL = "headwater.v1+json"

/** A message from the server, by its `t`; fields that are not known are let through. */
export interface Told {
  t: string
  id?: number
  s?: number
  o?: Offset
  path?: string
  type?: string
  tail?: Offset
  from?: string
  to?: string
  e?: string[]
  r?: unknown[]
  b?: string[]
  at?: number[]
  by?: (Principal | null)[]
  code?: string
  message?: string
  status?: number
  after?: number
  facts?: Record<string, unknown>
  [field: string]: unknown
}

export function parse(text: unknown): Told {
  try {
    const told = JSON.parse(text as string) as Told
    // Whatever else it is has not this.
    told.t.trim()
    return told
  } catch (cause) {
    throw causedBy(cause, "bad-answer", "no message")
  }
}

/** Whether nothing more is told of what was asked for. An error without an id is of something that was said, and ends nothing. */
export const isOver = ({ t, id }: Told): boolean => /^(end|drain)$/.test(t) || (t === "err" && id !== undefined)

/** Whether it is the end of the stream, and not only of what is told. */
export const isEnd = ({ why }: Told): boolean => why === "closed" || why === "failed"

/** The offsets of the records of a `data`: `e` has of each but the last what differs from `o`. */
export const offsetsOf = ({ o = "", e = [] }: Told): Offset[] => [...e.map((end) => o.slice(0, o.length - end.length) + end), o]

/** The records of a `data` of JSON, if their text is what this platform makes of their values; else somebody must look for it. */
export function plainRecords(told: Told, text: string): WireRecord[] | undefined {
  const { r, at } = told
  if (!r || at || !text.includes(`"r":${JSON.stringify(r)}`)) return undefined
  const offsets = offsetsOf(told)
  return r.map((value, index) => ({ value, raw: JSON.stringify(value), offset: offsets[index] as Offset }))
}
