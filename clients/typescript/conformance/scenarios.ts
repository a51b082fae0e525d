/** The commands of the project's own scenarios; conformance/README.md says what they mean. */

import { type Connection, connect } from "../src/connection.ts"
import { HeadwaterError, type Reader, type Retry, type Stream, type StreamOptions, type TransportName, stream } from "../src/index.ts"
import type { Result } from "./commands.ts"
import { type Paused, pausing } from "./clock.ts"

interface Common {
  url: string
  /** Of a connection, and the path below it. */
  root?: string
  path?: string
  transport?: TransportName | "http"
  contentType?: string
  tokens?: string[]
  retry?: Partial<Retry>
  clock?: "skip" | "real"
  timeoutMs?: number
}

interface Follow extends Common {
  transport?: TransportName
  offset?: string
  live?: boolean
  until?: { records?: number; live?: boolean; pauses?: number; gaps?: number }
  missing?: "wait" | "throw"
  gone?: "throw" | "earliest" | "now"
  envelope?: boolean
}

interface WriteCommand extends Common {
  records: unknown[]
  producer?: { id: string; epoch?: number; claim?: boolean } | null
  create?: boolean
  close?: boolean
  fail?: { code: string; message?: string }
  apart?: boolean
}

const LONGEST = 30_000

function optionsOf(command: Common, environment: Paused): StreamOptions<unknown> {
  const { tokens, contentType, retry } = command
  let asked = 0
  return {
    environment,
    ...(retry ? { retry } : {}),
    ...(contentType ? { type: contentType } : {}),
    ...(tokens ? { headers: () => ({ authorization: `Bearer ${tokens[Math.min(asked++, tokens.length - 1)]}` }) } : {}),
  }
}

/** A stream by its URL, or on a connection of its own. */
function streamOf(command: Common, environment: Paused, signal?: AbortSignal): [Stream<unknown>, Connection | undefined] {
  const options = { ...optionsOf(command, environment), ...(signal ? { signal } : {}) }
  if (command.transport !== "websocket") return [stream(command.url, options), undefined]
  const { tokens, retry, contentType } = command
  let asked = 0
  const connection = connect(command.root ?? "", {
    environment,
    ...(retry ? { retry } : {}),
    ...(tokens ? { token: () => tokens[Math.min(asked++, tokens.length - 1)] ?? "" } : {}),
  })
  const type = contentType ? { type: contentType } : {}
  return [connection.stream(command.path ?? "", { ...type, ...(signal ? { signal } : {}) }), connection]
}

const shown = (data: unknown): unknown =>
  data instanceof Uint8Array ? { base64: btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join("")) } : data

const given = (data: unknown): unknown => {
  const base64 = data !== null && typeof data === "object" ? (data as { base64?: string }).base64 : undefined
  return base64 === undefined ? data : Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
}

const told = (error: HeadwaterError): Result => ({ code: error.code, status: error.status, retryable: error.retryable })

/** Where the transport tells one offset for many records, a record that has none of its own has null. */
const apart = (transport: string | undefined): boolean => transport !== "long-poll" && transport !== "live-sse"

export async function follow(command: Follow): Promise<Result> {
  const environment = pausing(command.clock !== "real")
  const { offset = "-1", until = {}, live, missing, gone, envelope, transport } = command
  const [source, connection] = streamOf(command, environment)
  const reader = source.read({
    from: offset === "-1" ? "start" : offset,
    ...(transport ? { transport } : {}),
    ...(live === undefined ? {} : { live }),
    ...(missing ? { missing } : {}),
    ...(gone ? { gone } : {}),
    ...(envelope ? { envelope } : {}),
  })
  const gaps: unknown[] = []
  reader.on("gap", ({ from, to }) => {
    gaps.push({ from, to })
    if (until.gaps !== undefined && gaps.length >= until.gaps) reader.close()
  })
  if (until.live) reader.on("state", (state) => state === "live" && reader.close())
  environment.onPause = (count) => {
    if (until.pauses !== undefined && count >= until.pauses) reader.close()
  }
  let late = false
  const timer = setTimeout(() => {
    late = true
    reader.close()
  }, command.timeoutMs ?? LONGEST)
  const records = await collect(reader, until.records, apart(transport))
  clearTimeout(timer)
  connection?.close()
  const end = late ? { kind: "running" } : endOf(await reader.end)
  return { type: "follow", success: true, records, gaps, end, pauses: environment.pauses, offset: reader.offset }
}

async function collect(reader: Reader<unknown>, most: number | undefined, offsets: boolean): Promise<unknown[]> {
  const records: { data: unknown; offset: string | null; at?: number | undefined }[] = []
  try {
    for await (const batch of reader.batches()) {
      batch.records.forEach(({ data, offset, at }, index) => {
        if (most !== undefined && records.length >= most) return
        const known = offsets || index === batch.records.length - 1
        records.push({ data: shown(data), offset: known ? offset : null, at })
      })
      if (most !== undefined && records.length >= most) break
    }
  } catch {
    // The end says why.
  }
  return records
}

function endOf(end: Awaited<Reader<unknown>["end"]>): Result {
  const { kind, code, message, error } = end
  if (kind === "failed") return { kind, code, message }
  if (kind === "up-to-date") return { kind: "stopped" }
  return error ? { kind, ...told(error) } : { kind }
}

export async function write(command: WriteCommand): Promise<Result> {
  const environment = pausing(command.clock !== "real")
  const { producer: named, create = false, close, fail, apart: each = true } = command
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), command.timeoutMs ?? LONGEST)
  const [source, connection] = streamOf(command, environment, late.signal)
  const producer = source.producer({ linger: 0, create, ...(named ?? { idempotent: false }) })
  const outcomes: unknown[] = []
  const settled = (promise: Promise<string>): Promise<unknown> =>
    promise.then(
      (offset) => ({ offset: offset || null }),
      (error: HeadwaterError) => ({ error: told(error) }),
    )
  if (each) for (const data of command.records) outcomes.push(await settled(producer.append(given(data))))
  else outcomes.push(...(await Promise.all(command.records.map((data) => settled(producer.append(given(data)))))))
  const result: Result = { type: "write", success: true, outcomes, pauses: environment.pauses }
  if (fail) result.closed = await settled(producer.fail(fail.code, fail.message))
  else if (close) result.closed = await settled(producer.close())
  clearTimeout(timer)
  connection?.close()
  return result
}
