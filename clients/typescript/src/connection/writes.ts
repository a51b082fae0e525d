/** What is written on a connection, and asked about a stream; loaded with the first write. */

import { HeadwaterError } from "../errors.ts"
import { decodeText, formOf, toBase64 } from "../records.ts"
import type { Fields } from "../request.ts"
import type { Info, Writes } from "../transport.ts"
import { type Streams, connectionDoor } from "./door.ts"
import type { Told } from "./messages.ts"

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
  return [{ b: [toBase64(body)] }]
}

/** `url`: of the stream. */
export function connectionWrites(path: string, url: string, streams: Streams): Writes {
  /** What is undefined in a message is not said. */
  const ask = async (t: string, fields: object, signal: AbortSignal | undefined, raw?: string): Promise<Told> => {
    const line = await streams.line(undefined, signal)
    return line.ask({ t, path, ...fields }, raw)
  }

  return {
    async write({ body, producer: p, close, fail, create, type }, signal) {
      let told: Told | undefined
      const closes = (close && !fail) || undefined
      if (body || create) {
        const [fields, raw] = bodyOf(body, type)
        const made = create && (Object.keys(create).length ? fieldsOf(create) : true)
        told = await ask("append", { p, type, create: made, close: closes, ...fields }, signal, raw)
      } else if (closes) told = await ask("close", { p }, signal)
      if (fail) told = await ask("fail", { ...fail, message: fail.message ?? "" }, signal)
      return { offset: told?.o ?? "" }
    },
    async create(headers, body, signal) {
      const type = String(headers["content-type"] ?? "")
      const [records, raw] = bodyOf(body, type)
      const told = await ask("create", { ...fieldsOf(headers), ...records }, signal, raw)
      return infoOf({ ...told, type, tail: told.o ?? "" })
    },
    async head(signal) {
      try {
        return infoOf(await ask("head", {}, signal))
      } catch (error) {
        if ((error as HeadwaterError).status === 404) return null
        throw error
      }
    },
    delete: async (signal) => void (await ask("delete", {}, signal)),
    sibling(to) {
      const found = new URL(to, url)
      const { href, pathname } = streams.root
      if (!found.href.startsWith(href)) throw new HeadwaterError("unsupported", `${found.href} is not on this connection`)
      return connectionDoor(decodeURIComponent(found.pathname.slice(pathname.length)), streams)
    },
  }
}

function infoOf({ type = "", tail = "", earliest, closed, code, message = "", ttl, expires_at: expires, retention, slow }: Told): Info {
  const text = (value: unknown): string | undefined => (value ? String(value) : undefined)
  return {
    type,
    offset: tail,
    earliest: text(earliest),
    closed: closed === true,
    failure: code ? { code, message } : undefined,
    ttl: typeof ttl === "number" ? ttl : undefined,
    expiresAt: expires ? new Date(expires as string) : undefined,
    retention: text(retention),
    slow: text(slow),
    etag: undefined,
  }
}
