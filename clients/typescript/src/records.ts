/** Records and content types: how a record is told on the wire, and what of a type is kept apart. */

import { HeadwaterError } from "./errors.ts"

/** A record as the wire had it: JSON text, text, or bytes. */
export type Raw = string | Uint8Array

/** What records of a type are to a program. */
export type Form = "json" | "text" | "bytes"

export const JSON_TYPE = "application/json"

/** Streams are of JSON unless something else is known. */
export const formOf = (type: string = JSON_TYPE): Form =>
  /^\s*(application\/|[^;]*\+)json\s*(;|$)/i.test(type) ? "json" : /^\s*text\//i.test(type) ? "text" : "bytes"

/** Whether records that are joined can be taken apart again, or need not be. */
export const joins = (type: string): boolean => !/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(type)

/** What has a meaning in the structure of an array: marks, and what hides one in a string. All else is passed over. */
const TOKEN = /\\.|["[\]{},]/gs

/** The elements of a JSON array: their values, and their own text. */
export function elementsOf(text: string): { raw: string; value: unknown }[] {
  const values: unknown = JSON.parse(text)
  if (!Array.isArray(values)) throw new SyntaxError("no JSON array")
  const raws: string[] = []
  let isString = false
  let depth = 0
  let from = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '"') isString = !isString
    if (isString) continue
    const opens = token === "[" || token === "{"
    if (opens) depth += 1
    else if (token === "]" || token === "}") depth -= 1
    if (opens && depth === 1) from = index + 1
    else if (!depth || (depth === 1 && token === ",")) {
      raws.push(text.slice(from, index).trim())
      from = index + 1
    }
  }
  return values.map((value: unknown, index) => ({ raw: raws[index] ?? "", value }))
}

export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

export const encodeText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

/** What it decodes begins with a byte order mark if the bytes do. */
export const textDecoder = (): TextDecoder => new TextDecoder("utf-8", { ignoreBOM: true })

export const decodeText = (bytes: Uint8Array): string => textDecoder().decode(bytes)

/** A record's value, where the caller decodes nothing. */
export function valueOf(raw: Raw, form: Form): unknown {
  if (form === "bytes") return typeof raw === "string" ? encodeText(raw) : raw
  const text = typeof raw === "string" ? raw : decodeText(raw)
  return form === "json" ? JSON.parse(text) : text
}

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
