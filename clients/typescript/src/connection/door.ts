/** The way to a stream on a connection. */

import { HeadwaterError } from "../errors.ts"
import { decodeText, formOf } from "../records.ts"
import { type Fields, absolute } from "../request.ts"
import type { Door, Info, LiveDoor, Transport, TransportChoice, Write, Written } from "../transport.ts"
import { overConnection } from "./cursor.ts"
import type { Feed, Lines } from "./feed.ts"
import type { Live } from "./live.ts"
import type { Told } from "./messages.ts"

const ANSWERS_MS = 1000
/** Headers of a creation, and the fields that they are on a connection. */
const FIELDS: Record<string, string> = {
  "content-type": "type",
  "stream-ttl": "ttl",
  "stream-expires-at": "expires_at",
  "stream-retention": "retention",
  "stream-slow": "slow",
}

function fieldsOf(headers: Fields): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    if (name === "stream-closed") fields.closed = value
    else if (FIELDS[name]) fields[FIELDS[name]] = value
    else throw new HeadwaterError("unsupported", `a connection has no ${name}: use stream(url)`)
  }
  return fields
}

/** Records as fields: text of JSON values is spliced in as it is. */
function bodyOf(body: Uint8Array | undefined, type: string | undefined): [fields: object, raw?: string] {
  if (!body) return [{}]
  const form = formOf(type ?? "application/octet-stream")
  if (form === "json") return [{}, decodeText(body)]
  if (form === "text") return [{ r: [decodeText(body)] }]
  let binary = ""
  for (const byte of body) binary += String.fromCharCode(byte)
  return [{ b: [btoa(binary)] }]
}

/** What a connection has of each stream. */
export interface Streams extends Lines {
  feed(path: string): Feed
  live(path: string): Live
}

export class ConnectionDoor implements Door {
  readonly url: string
  readonly live: LiveDoor
  #streams: Streams
  #root: URL
  #path: string

  constructor(root: URL, path: string, streams: Streams) {
    this.url = new URL(path.split("/").map(encodeURIComponent).join("/"), root).href
    this.live = streams.live(path)
    this.#streams = streams
    this.#root = root
    this.#path = path
  }

  get origin(): string {
    return this.#root.origin
  }

  transports(wanted: readonly TransportChoice[]): Transport[] {
    return wanted.map((each) => {
      if (each === "auto" || each === "websocket") return overConnection(() => this.#streams.feed(this.#path), this.#streams)
      throw new HeadwaterError("unsupported", `a connection reads over its WebSocket, not by ${String(each)}: use stream(url)`)
    })
  }

  async write(write: Write, signal?: AbortSignal): Promise<Written> {
    const { producer: p, close, fail, create, type } = write
    const common = { path: this.#path, ...(p ? { p } : {}) }
    let told: Told | undefined
    if (write.body || create) {
      const [fields, raw] = bodyOf(write.body, type)
      const made = create ? { create: Object.keys(create).length ? fieldsOf(create) : true } : {}
      const closes = close && !fail ? { close: true } : {}
      told = await this.#ask({ t: "append", ...common, ...(type ? { type } : {}), ...made, ...closes, ...fields }, raw, signal)
    } else if (close && !fail) told = await this.#ask({ t: "close", ...common }, undefined, signal)
    if (fail) {
      told = await this.#ask({ t: "fail", path: this.#path, code: fail.code, message: fail.message ?? "" }, undefined, signal)
    }
    return { offset: told?.o ?? "" }
  }

  async create(headers: Fields, body: Uint8Array | undefined, signal?: AbortSignal): Promise<Info> {
    const type = String(headers["content-type"] ?? "")
    const [records, raw] = bodyOf(body, type)
    const told = await this.#ask({ t: "create", path: this.#path, ...fieldsOf(headers), ...records }, raw, signal)
    return infoOf({ ...told, type, tail: told.o ?? "" })
  }

  async head(signal?: AbortSignal): Promise<Info | null> {
    try {
      return infoOf(await this.#ask({ t: "head", path: this.#path }, undefined, signal))
    } catch (error) {
      if (error instanceof HeadwaterError && error.status === 404) return null
      throw error
    }
  }

  async delete(signal?: AbortSignal): Promise<void> {
    await this.#ask({ t: "delete", path: this.#path }, undefined, signal)
  }

  async answers(): Promise<boolean> {
    try {
      await this.#streams.limited(ANSWERS_MS, this.#ask({ t: "ping" }))
      return true
    } catch {
      return false
    }
  }

  sibling(url: string): Door {
    const found = new URL(url, this.url)
    if (!found.href.startsWith(this.#root.href)) throw new HeadwaterError("unsupported", `${found.href} is not on this connection`)
    const path = decodeURIComponent(found.pathname.slice(this.#root.pathname.length))
    return new ConnectionDoor(this.#root, path, this.#streams)
  }

  async #ask(message: object, raw?: string, signal?: AbortSignal): Promise<Told> {
    const line = await this.#streams.line(undefined, signal)
    return line.ask(message, raw)
  }
}

function infoOf(told: Told): Info {
  const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined)
  const code = text(told.code)
  return {
    type: told.type ?? "",
    offset: told.tail ?? "",
    earliest: text(told.earliest),
    closed: told.closed === true,
    failure: code === undefined ? undefined : { code, message: told.message ?? "" },
    ttl: typeof told.ttl === "number" ? told.ttl : undefined,
    expiresAt: text(told.expires_at) === undefined ? undefined : new Date(told.expires_at as string),
    retention: text(told.retention),
    slow: text(told.slow),
    etag: undefined,
  }
}

/** The root's URL, with a slash at its end. */
export function rootOf(url: string | URL): URL {
  const root = absolute(url)
  root.protocol = root.protocol.replace(/^ws/, "http")
  root.pathname = root.pathname.replace(/-\/connect$/, "").replace(/\/?$/, "/")
  root.search = root.hash = ""
  return root
}
