/** The commands of Durable Streams' suite for clients (packages/client-conformance-tests of its repository). */

import { HeadwaterError, type Producer, type Reader, type StreamOptions, type TransportName, stream } from "../src/index.ts"
import type { Handlers, Result } from "./commands.ts"

interface Place {
  type: string
  path: string
  headers?: Record<string, string>
}

interface Idempotent extends Place {
  producerId: string
  epoch: number
  autoClaim?: boolean
  data?: string
  items?: string[]
  maxInFlight?: number
}

interface Read extends Place {
  offset?: string
  live?: boolean | "long-poll" | "sse"
  timeoutMs?: number
  maxChunks?: number
  waitForUpToDate?: boolean
}

type Dynamic = { kind: string; count: number; value: string }

let server = ""
const types = new Map<string, string>()
const producers = new Map<string, Producer<unknown>>()
const headers = new Map<string, Dynamic>()
const params = new Map<string, Dynamic>()

const BYTES = "application/octet-stream"
const typeOf = (path: string): string => types.get(path) ?? BYTES
const json = (path: string): boolean => typeOf(path).includes("json")

function next(values: Map<string, Dynamic>): Record<string, string> {
  const now: Record<string, string> = {}
  for (const [name, value] of values) {
    if (value.kind === "counter") value.value = String((value.count += 1))
    if (value.kind === "timestamp") value.value = String(Date.now())
    now[name] = value.value
  }
  return now
}

interface Sent {
  headersSent?: Record<string, string>
  paramsSent?: Record<string, string>
}

/** The stream of a command; what its requests carry is written into `sent`. */
function open(command: Place, sent: Sent = {}, options: StreamOptions<unknown> = {}) {
  const type = types.get(command.path)
  return stream<unknown>(`${server}${command.path}`, {
    ...(type === undefined ? {} : { type }),
    headers: () => {
      if (headers.size) sent.headersSent = next(headers)
      return { ...sent.headersSent, ...command.headers }
    },
    fetch: (input, init) => {
      const url = new URL(input as string)
      if (params.size) sent.paramsSent = next(params)
      for (const [name, value] of Object.entries(sent.paramsSent ?? {})) url.searchParams.set(name, value)
      return fetch(url, init)
    },
    ...options,
  })
}

/** A suite's names for ours. */
const CODES: Record<string, string> = {
  "stream-not-found": "NOT_FOUND",
  "stream-closed": "STREAM_CLOSED",
  "invalid-offset": "INVALID_OFFSET",
  "bad-request": "INVALID_OFFSET",
  "sequence-regression": "SEQUENCE_CONFLICT",
  "bad-record": "PARSE_ERROR",
  truncated: "PARSE_ERROR",
  "bad-answer": "PARSE_ERROR",
  network: "NETWORK_ERROR",
  "connect-timeout": "TIMEOUT",
}

function codeOf(error: HeadwaterError): string {
  if (error.status === 409) {
    if (error.facts.closed === "true" || error.code === "stream-closed") return "STREAM_CLOSED"
    if (/sequence/i.test(error.message)) return "SEQUENCE_CONFLICT"
    return CODES[error.code] ?? "CONFLICT"
  }
  return CODES[error.code] ?? (error.status === undefined ? "INTERNAL_ERROR" : "UNEXPECTED_STATUS")
}

function refused(command: Place, error: unknown): Result {
  const known = error instanceof HeadwaterError
  return {
    type: "error",
    success: false,
    commandType: command.type,
    status: known ? error.status : undefined,
    errorCode: known ? codeOf(error) : "INTERNAL_ERROR",
    message: error instanceof Error ? error.message : String(error),
  }
}

/** Does it; a HeadwaterError is a result of its own. */
const attempt =
  <C extends Place>(call: (command: C) => Promise<Result>) =>
  async (command: C): Promise<Result> => {
    try {
      return { type: command.type, success: true, status: 200, ...(await call(command)) }
    } catch (error) {
      return refused(command, error)
    }
  }

const values = (path: string, data: string): unknown[] => {
  if (!json(path)) return [data]
  const value: unknown = JSON.parse(data)
  // A body of JSON that is an array is as many records.
  return Array.isArray(value) ? value : [value]
}

async function create(command: Place & { contentType?: string; ttlSeconds?: number; expiresAt?: string; closed?: boolean; data?: string }): Promise<Result> {
  const type = command.contentType ?? BYTES
  const there = await open(command).head()
  types.set(command.path, type)
  const { ttlSeconds: ttl, expiresAt, closed, data } = command
  await open(command).create({
    type,
    ...(ttl === undefined ? {} : { ttl }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(closed === undefined ? {} : { closed }),
    ...(data === undefined ? {} : { records: values(command.path, data) }),
  })
  return { status: there ? 200 : 201, offset: (await open(command).head())?.offset }
}

async function head(command: Place): Promise<Result> {
  const info = await open(command).head()
  if (!info) throw new HeadwaterError("stream-not-found", `Stream not found: ${command.path}`, { status: 404 })
  types.set(command.path, info.type)
  return { offset: info.offset, contentType: info.type, streamClosed: info.closed }
}

async function append(command: Place & { data: string; binary?: boolean; seq?: number }): Promise<Result> {
  const sent: Sent = {}
  const named = command.seq === undefined ? command : { ...command, headers: { ...command.headers, "stream-seq": String(command.seq) } }
  const producer = open(named, sent).producer({ linger: 0, idempotent: false })
  const records = command.binary ? [new Uint8Array(Buffer.from(command.data, "base64"))] : values(command.path, command.data)
  const offsets = await Promise.all(records.map((record) => producer.append(record)))
  return { offset: offsets.at(-1), ...sent }
}

async function read(command: Read): Promise<Result> {
  const sent: Sent = {}
  const { live = false, maxChunks = 100 } = command
  const transport: TransportName = live === true ? "auto" : live === "sse" ? "live-sse" : "long-poll"
  const reader = open(command, sent).read({ from: from(command.offset), live: live !== false, transport })
  const timer = setTimeout(() => reader.close(), command.timeoutMs ?? 5000)
  const chunks: { data: string; offset: string }[] = []
  let upToDate = false
  let offset = command.offset ?? "-1"
  try {
    const batches = reader.batches()
    for await (const batch of batches) {
      offset = batch.offset
      upToDate = batch.upToDate
      if (batch.records.length) chunks.push({ data: shown(command.path, batch.records), offset })
      if (command.waitForUpToDate && upToDate) break
      if (chunks.length < maxChunks) continue
      // That the stream is closed comes behind its last record.
      await Promise.race([batches.next(), new Promise((resolve) => setTimeout(resolve, 50))])
      break
    }
  } finally {
    clearTimeout(timer)
  }
  const end = await ended(reader)
  // What has nothing to give is answered 204.
  const status = live === "long-poll" && !chunks.length ? 204 : 200
  return { status, chunks, offset: end.closed ? end.offset : offset, upToDate: upToDate || end.closed || end.stopped, streamClosed: end.closed, ...sent }
}

const from = (offset: string | undefined): string => (offset === undefined || offset === "-1" ? "start" : offset)

function shown(path: string, records: readonly { data: unknown }[]): string {
  if (json(path)) return JSON.stringify(records.map(({ data }) => data))
  return records.map(({ data }) => (data instanceof Uint8Array ? new TextDecoder().decode(data) : String(data))).join("")
}

async function ended(reader: Reader<unknown>): Promise<{ closed: boolean; stopped: boolean; offset: string }> {
  // A stop at the last record may come before the news that the stream is closed; what is there is read on.
  const { kind, offset } = await reader.end
  return { closed: kind === "closed" || kind === "failed", stopped: kind === "stopped" || kind === "up-to-date", offset }
}

const key = (command: Idempotent): string => `${command.path}|${command.producerId}|${command.epoch}`

function producerOf(command: Idempotent): Producer<unknown> {
  const there = producers.get(key(command))
  if (there) return there
  const { producerId: id, epoch, autoClaim: claim = false } = command
  const producer = open(command).producer({ id, epoch, claim, linger: 0, inFlight: 1 })
  producers.set(key(command), producer)
  return producer
}

const parsed = (path: string, data: string): unknown => (json(path) ? JSON.parse(data) : data)

async function appendBatch(command: Idempotent): Promise<Result> {
  const { producerId: id, epoch, autoClaim: claim = false, maxInFlight: inFlight = 1 } = command
  const apart = inFlight > 1
  const producer = open(command).producer({ id, epoch, claim, inFlight, linger: apart ? 0 : 5, ...(apart ? { batchBytes: 1 } : {}) })
  await Promise.all((command.items ?? []).map((item) => producer.append(parsed(command.path, item))))
  return {}
}

async function closeIdempotent(command: Idempotent): Promise<Result> {
  const producer = producerOf(command)
  const last: [unknown?] = command.data === undefined ? [] : [parsed(command.path, command.data)]
  return { finalOffset: await producer.close(...last) }
}

async function close(command: Place & { data?: string; contentType?: string }): Promise<Result> {
  if (command.contentType) types.set(command.path, command.contentType)
  const last: [unknown?] = command.data === undefined ? [] : [parsed(command.path, command.data)]
  return { finalOffset: await open(command).producer({ linger: 0, idempotent: false }).close(...last) }
}

async function validate(command: { type: string; target: { target: string; producerId?: string; epoch?: number; maxBatchBytes?: number } }): Promise<Result> {
  const { target } = command
  if (target.target === "idempotent-producer") {
    try {
      const producer = stream(server).producer({
        ...(target.producerId === undefined ? {} : { id: target.producerId }),
        ...(target.epoch === undefined ? {} : { epoch: target.epoch }),
        ...(target.maxBatchBytes === undefined ? {} : { batchBytes: target.maxBatchBytes }),
      })
      // What writes is loaded late, and refuses then.
      await producer.flush()
    } catch (error) {
      return { type: "error", success: false, commandType: command.type, errorCode: "INVALID_ARGUMENT", message: String(error) }
    }
  }
  return { type: "validate", success: true }
}

const dynamic = (values: Map<string, Dynamic>) => (command: { type: string; name: string; valueType: string; initialValue?: string }): Result => {
  values.set(command.name, { kind: command.valueType, count: 0, value: command.initialValue ?? "" })
  return { type: command.type, success: true }
}

export const published = {
  init(url: string): void {
    server = url
    for (const each of [types, producers, headers, params]) each.clear()
  },
  handlers: {
    create: attempt(create),
    connect: attempt(head),
    head: attempt(head),
    append: attempt(append),
    read: attempt(read),
    delete: attempt(async (command: Place) => {
      await open(command).delete()
      types.delete(command.path)
      return {}
    }),
    close: attempt(close),
    "idempotent-append": attempt(async (command: Idempotent) => ({ offset: await producerOf(command).append(parsed(command.path, command.data ?? "")) })),
    "idempotent-append-batch": attempt(appendBatch),
    "idempotent-close": attempt(closeIdempotent),
    "idempotent-detach": attempt(async (command: Idempotent) => {
      await producerOf(command)[Symbol.asyncDispose]()
      producers.delete(key(command))
      return {}
    }),
    "set-dynamic-header": dynamic(headers),
    "set-dynamic-param": dynamic(params),
    "clear-dynamic": (command: { type: string }) => {
      headers.clear()
      params.clear()
      return { type: command.type, success: true }
    },
    validate,
  } as Handlers,
}
