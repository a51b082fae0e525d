/** The messages of a connection, in JSON; see docs/reference/websocket-messages.md. */

import { type Codec, placedOf } from "../codec.ts"
import { HeadwaterError, passes } from "../errors.ts"
import { elementsOf } from "../elements.ts"
import { type Form, type Raw, decodeText, fromBase64 } from "../records.ts"
import type { Known, Offset, Principal, WireRecord } from "../transport.ts"

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
  let told: unknown
  try {
    told = JSON.parse(text as string)
  } catch (cause) {
    throw new HeadwaterError("bad-answer", "a message is no JSON", { cause })
  }
  if (typeof told !== "object" || told === null || typeof (told as Told).t !== "string") {
    throw new HeadwaterError("bad-answer", "a message says not what it is")
  }
  return told as Told
}

/** The offsets of the records of a `data`: `e` has of each but the last what differs from `o`. */
export function offsetsOf({ o = "", e = [] }: Told): Offset[] {
  return [...e.map((end) => o.slice(0, o.length - end.length) + end), o]
}

/** The records of a `data`. Their text is looked for only where somebody wants it. */
export function recordsOf(told: Told, text: string, form: Form, codec: Codec | undefined): WireRecord[] {
  const offsets = offsetsOf(told)
  const { at, by } = told
  const more = (index: number): { offset: Offset; known?: Known } => ({
    offset: offsets[index] ?? "",
    ...(at && { known: { at: at[index], by: by?.[index] ?? undefined } }),
  })
  // Where messages are not JSON, all records are bytes.
  const rawOf = (data: string): Raw => (form === "bytes" ? fromBase64(data) : decodeText(fromBase64(data)))
  if (told.b) return told.b.map((data, index) => Object.assign(placedOf(rawOf(data), "", codec), more(index)))
  const values = told.r ?? []
  if (form === "text") return values.map((value, index) => ({ raw: value as string, ...more(index) }))
  let parts: { raw: string }[] | undefined
  const raw = (index: number): string => {
    // It stands behind the offsets, in which there is no quotation mark, and before what an envelope tells.
    parts ??= elementsOf(text.slice(text.indexOf('"r":[') + 4, at ? text.lastIndexOf(',"at":[') : text.lastIndexOf("]") + 1))
    return parts[index]?.raw ?? ""
  }
  return values.map((value, index) => ({
    get raw() {
      return raw(index)
    },
    value,
    ...more(index),
  }))
}

/** What an `err`, or an `end` by an error, says. */
export function errorOf(told: Told): HeadwaterError {
  const { status = 500, after, facts: more, code = "internal", message, advice } = told
  const detail = told.detail ?? message
  return new HeadwaterError(code, String(detail), {
    status,
    retryable: passes(status),
    retryAfter: after === undefined ? undefined : after * 1000,
    offset: more?.next_offset as string | undefined,
    facts: { ...more, code, detail, advice },
  })
}

/** Codes after which to come back changes nothing: 44xx is the status 4xx. */
const TERMINAL = /00|01|03|04|05|06|10|15/

/** Why a connection ended, by its close code; its reason begins with the code of the error table. */
export function errorOfClose(code: number, reason: string, opened: boolean): HeadwaterError {
  const word = /^[a-z][a-z-]*/.exec(reason)?.[0]
  if (code < 4400 || code > 4499) {
    const what = opened ? "the connection was lost" : "there was no connection"
    return new HeadwaterError("network", `${what}: ${code} ${reason}`.trim(), { facts: { close: code, opened } })
  }
  return new HeadwaterError(word ?? "refused", reason || `the server closed the connection: ${code}`, {
    status: code - 4000,
    retryable: !TERMINAL.test(String(code - 4400).padStart(2, "0")),
    facts: { close: code },
  })
}
