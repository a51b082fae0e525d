/** Records and content types: how a record is told on the wire, and what of a type is kept apart. */

/** A record as the wire had it: JSON text, text, or bytes. */
export type Raw = string | Uint8Array

/** What records of a type are to a program. */
export type Form = "json" | "text" | "bytes"

const essence = (type: string): string => (type.split(";", 1)[0] ?? "").trim().toLowerCase()

export function formOf(type: string): Form {
  const name = essence(type)
  if (name === "application/json" || name.endsWith("+json")) return "json"
  return name.startsWith("text/") ? "text" : "bytes"
}

/** Whether records that are joined can be taken apart again, or need not be. */
export const joins = (type: string): boolean =>
  !/^application\/(x-protobuf|protobuf|vnd\.google\.protobuf)$/.test(essence(type)) || /encoding=delimited/i.test(type)

/** Strings, and everything that has a meaning in the structure of an array; all else is passed over. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},]/gs

/** The elements of a JSON array, as their own text. */
export function splitArray(text: string): string[] {
  const start = text.indexOf("[") + 1
  if (!start || text.slice(0, start - 1).trim()) throw new SyntaxError("no JSON array")
  const parts: string[] = []
  let depth = 0
  let from = start
  TOKEN.lastIndex = start
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const token = match[0]
    if (token === "[" || token === "{") depth += 1
    else if (depth && (token === "]" || token === "}")) depth -= 1
    else if (!depth && (token === "," || token === "]")) {
      const part = text.slice(from, match.index).trim()
      if (part || token === "," || parts.length) parts.push(part)
      from = match.index + 1
      if (token === "]") {
        if (text.slice(from).trim()) throw new SyntaxError("something stands behind the JSON array")
        return parts
      }
    }
  }
  throw new SyntaxError("the JSON array does not end")
}

export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replace(/\s/g, "")), (character) => character.charCodeAt(0))

export const encodeText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

export const decodeText = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

/** A record's value, where the caller decodes nothing. */
export function valueOf(raw: Raw, form: Form): unknown {
  if (form === "json") return JSON.parse(typeof raw === "string" ? raw : decodeText(raw))
  if (form === "text") return typeof raw === "string" ? raw : decodeText(raw)
  return typeof raw === "string" ? encodeText(raw) : raw
}
