/**
 * A socket whose messages are MessagePack or Protobuf, to who sends and hears JSON. What it is coded by is loaded while it opens.
 *
 * Rule: a server that does not speak it speaks JSON; both are offered.
 */

import type { Codec } from "../codec.ts"
import { decodeText, encodeText, fromBase64, toBase64 } from "../records.ts"
import type { Socket, SocketFactory } from "./session.ts"

type Fields = Record<string, unknown>

/** Values that are told as their JSON text. */
const VALUES = ["data", "state", "facts"]
const LISTS = ["r", "members", "joined", "changed"]

const textOf = (value: unknown): Uint8Array => encodeText(JSON.stringify(value))
const valueOf = (bytes: unknown): unknown => (bytes instanceof Uint8Array ? JSON.parse(decodeText(bytes)) : bytes)

/** Bytes, of what is base64 in JSON, or a list of it; and back. */
const bytesOf = (told: unknown): unknown => (Array.isArray(told) ? told.map(bytesOf) : fromBase64(told as string))
const base64Of = (bytes: unknown): unknown =>
  Array.isArray(bytes) ? bytes.map(base64Of) : bytes instanceof Uint8Array ? toBase64(bytes) : bytes

/** A message of JSON with bytes in place of values and base64. */
export function packed(message: Fields): Fields {
  const fields: Fields = { ...message }
  for (const name of VALUES) if (fields[name] !== undefined && fields[name] !== null) fields[name] = textOf(fields[name])
  for (const name of LISTS) if (Array.isArray(fields[name])) fields[name] = (fields[name] as unknown[]).map(textOf)
  if (fields.b !== undefined) fields.b = bytesOf(fields.b)
  return fields
}

/** The other way. */
export function unpacked(fields: Fields): Fields {
  const message: Fields = { ...fields }
  for (const name of VALUES) if (name in message) message[name] = valueOf(message[name])
  for (const name of LISTS) if (Array.isArray(message[name])) message[name] = (message[name] as unknown[]).map(valueOf)
  if (message.b !== undefined) message.b = base64Of(message.b)
  return message
}

class Packed implements Socket {
  onopen: Socket["onopen"] = null
  onmessage: Socket["onmessage"] = null
  onclose: Socket["onclose"] = null
  onerror: Socket["onerror"] = null
  #socket: WebSocket
  /** Undefined: the server speaks JSON. */
  #codec: Codec | undefined

  constructor(socket: WebSocket, subprotocol: string, load: () => Promise<Codec>) {
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    socket.onopen = (event) => {
      if (socket.protocol !== subprotocol) return this.onopen?.(event)
      load().then(
        (codec) => {
          this.#codec = codec
          this.onopen?.(event)
        },
        // A lost network: whoever reads comes back.
        () => socket.close(),
      )
    }
    socket.onmessage = (event) => this.#take(event)
    socket.onclose = (event) => this.onclose?.(event)
    socket.onerror = (event) => this.onerror?.(event)
  }

  get readyState(): number {
    return this.#socket.readyState
  }

  send(text: string): void {
    this.#socket.send(this.#codec ? (this.#codec.encode(packed(JSON.parse(text))) as Uint8Array<ArrayBuffer>) : text)
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason)
  }

  #take(event: MessageEvent): void {
    let { data } = event
    try {
      if (this.#codec) data = JSON.stringify(unpacked(this.#codec.decode(new Uint8Array(data))))
    } catch (cause) {
      // What cannot be read is no JSON either, and ends the connection.
      data = String(cause)
    }
    this.onmessage?.(new MessageEvent("message", { data }))
  }
}

export const packedSocket =
  (subprotocol: string, load: () => Promise<Codec>): SocketFactory =>
  (url, protocols) =>
    new Packed(new WebSocket(url, [subprotocol, ...protocols]), subprotocol, load)
