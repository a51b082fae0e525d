/** Records and content types: how a record is told on the wire, and what of a type is kept apart. */

/** A record as the wire had it: JSON text, text, or bytes. */
export type Raw = string | Uint8Array

/** What records of a type are to a program. */
export type Form = "json" | "text" | "bytes"

export const JSON_TYPE = "application/json"

/** Streams are of JSON unless something else is known. */
export const formOf = (type: string = JSON_TYPE): Form =>
  /^\s*(application\/|[^;]*\+)json\s*(;|$)/i.test(type) ? "json" : /^\s*text\//i.test(type) ? "text" : "bytes"

export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

export function toBase64(bytes: Uint8Array): string {
  let binary = ""
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

export const encodeText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

/** What it decodes begins with a byte order mark if the bytes do. */
export const textDecoder = (): TextDecoder => new TextDecoder("utf-8", { ignoreBOM: true })

export const decodeText = (bytes: Uint8Array): string => textDecoder().decode(bytes)

/** A record's value, where the caller decodes nothing. Bytes are told only of what is neither JSON nor text. */
export const valueOf = (raw: Raw, form: Form): unknown =>
  typeof raw !== "string" || form === "text" ? raw : form === "json" ? JSON.parse(raw) : encodeText(raw)
