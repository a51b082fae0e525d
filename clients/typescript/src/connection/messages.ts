/** The messages of a connection, in JSON; see docs/reference/websocket-messages.md. */

import { type Codec, placedOf } from "../codec.ts"
import { HeadwaterError } from "../errors.ts"
import { elementsOf } from "../elements.ts"
import { type Form, type Raw, decodeText, fromBase64 } from "../records.ts"
import { refusal } from "../refusals.ts"
import type { Offset, WireRecord } from "../transport.ts"

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
  // Where messages are not JSON, all records are bytes.
  const rawOf = (data: string): Raw => (form === "bytes" ? fromBase64(data) : decodeText(fromBase64(data)))
  if (told.b) return told.b.map((data, index) => placedOf(rawOf(data), offsets[index] ?? "", codec))
  const values = told.r ?? []
  if (form === "text") return values.map((value, index) => ({ raw: value as string, offset: offsets[index] ?? "" }))
  let parts: { raw: string }[] | undefined
  const raw = (index: number): string => {
    // It stands behind the offsets, in which there is no quotation mark.
    parts ??= elementsOf(text.slice(text.indexOf('"r":[') + 4, text.lastIndexOf("]") + 1))
    return parts[index]?.raw ?? ""
  }
  return values.map((value, index) => ({
    get raw() {
      return raw(index)
    },
    value,
    offset: offsets[index] ?? "",
  }))
}

/** What an `err`, or an `end` by an error, says. */
export function errorOf(told: Told): HeadwaterError {
  const { status = 500, after, facts = {} } = told
  const fields = { ...facts, code: told.code, detail: told.detail ?? told.message, advice: told.advice }
  return refusal(status, fields, { retryAfter: after === undefined ? undefined : after * 1000, offset: offsetIn(facts) })
}

const offsetIn = (facts: Record<string, unknown>): string | undefined =>
  typeof facts.next_offset === "string" ? facts.next_offset : undefined

/** Codes after which to come back changes nothing: 44xx is the status 4xx. */
const TERMINAL = new Set([4400, 4401, 4403, 4404, 4405, 4406, 4410, 4415])

/** Why a connection ended, by its close code; its reason begins with the code of the error table. */
export function errorOfClose(code: number, reason: string, opened: boolean): HeadwaterError {
  const word = /^[a-z][a-z-]*/.exec(reason)?.[0]
  if (code < 4400 || code > 4499) {
    const what = opened ? "the connection was lost" : "there was no connection"
    return new HeadwaterError("network", `${what}: ${code} ${reason}`.trim(), { facts: { close: code, opened } })
  }
  const status = code - 4000
  return refusal(status, { ...(word ? { code: word } : {}), detail: reason || `the server closed the connection: ${code}` }, {
    retryable: !TERMINAL.has(code),
    facts: { close: code },
  })
}
