/** Records as the bodies of requests. */

import { HeadwaterError } from "./errors.ts"
import { encodeText, formOf } from "./records.ts"

/** Whether records that are joined can be taken apart again, or need not be. */
export const joins = (type: string): boolean => !/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(type)

/** A value as a record's bytes. */
export function plainEncode(data: unknown, type: string): Uint8Array {
  const text = formOf(type) === "json" ? JSON.stringify(data) : data
  if (typeof text === "string") return encodeText(text)
  const { buffer = text, byteOffset, byteLength } = Object(text) as Partial<Uint8Array<ArrayBuffer>>
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength)
  throw new HeadwaterError("bad-record", `${typeof data} is no record of ${type}`)
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** A body of these records: an array of JSON, else one behind the other. */
export function bodyOf(records: readonly Uint8Array[], type: string): Uint8Array {
  if (formOf(type) !== "json") return joined(records)
  return joined([...records.flatMap((record, index) => [encodeText(index ? "," : "["), record]), encodeText("]")])
}
