/** A handle of a stream: names it, and does nothing until it is asked. */

import { platform } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { httpDoor } from "./http.ts"
import { insist } from "./patience.ts"
import { type Producer, type ProducerOptions, type Sink, producerOf } from "./producer.ts"
import { type ReadOptions, type Reader, type Rec, type Source, readerOf } from "./reader.ts"
import { JSON_TYPE, type Raw, bodyOf, plainEncode, valueOf } from "./records.ts"
import { type Fields, type RequestOptions, requesterOf } from "./request.ts"
import { retryOf } from "./retry.ts"
import { type StandardSchema, validate } from "./schema.ts"
import type { Door, Info, LiveDoor, Offset, TransportChoice } from "./transport.ts"

export interface StreamOptions<T> extends RequestOptions {
  /** The content type; without it what HEAD says, else `application/json`. */
  type?: string
  /** Makes the value of a record's text or bytes. */
  decode?: (raw: Raw) => T
  /** Checks the value; what it refuses is the error `bad-record`. */
  schema?: StandardSchema<T>
  /** `auto`: SSE for JSON, NDJSON for others, long-poll where neither comes through. */
  transport?: TransportChoice | readonly TransportChoice[]
}

export interface CreateOptions<T = unknown> {
  type?: string
  /** Seconds without a read or a write after which the stream expires. */
  ttl?: number
  expiresAt?: Date | string
  /** As of `Stream-Retention`: `age=SECONDS, size=BYTES, count=RECORDS`. */
  retention?: string
  /** What readers get that are too slow. */
  slow?: string
  closed?: boolean
  /** The first records. */
  records?: readonly T[]
  signal?: AbortSignal
}

/** A handle of a stream. Iterating reads from the start: history, then live. */
export interface Stream<T = unknown> extends AsyncIterable<Rec<T>, undefined>, LiveDoor {
  readonly url: string
  /** Its content type, where it is known. */
  readonly type: string | undefined
  /** A cursor; it asks for nothing until a record is asked of it. */
  read(options?: ReadOptions): Reader<T>
  /** Every value up to the tail. */
  all(options?: Omit<ReadOptions, "live">): Promise<T[]>
  /** Appends, exactly once as long as this object lives; resolves when it is acknowledged. */
  append(data: T, options?: { signal?: AbortSignal; create?: boolean }): Promise<Offset>
  producer(options?: ProducerOptions): Producer<T>
  /** Creates it; one with the same configuration that is there already is fine. */
  create(options?: CreateOptions<T>): Promise<Info>
  /** Its state; null: there is none. */
  head(options?: { signal?: AbortSignal }): Promise<Info | null>
  /** Closes it, behind what this object has appended. */
  close(...last: [last?: T]): Promise<Offset>
  /** Ends it as not complete. */
  fail(code: string, message?: string, ...last: [last?: T]): Promise<Offset>
  /** A stream with this one's records up to the offset, or all of them, and its own from there on. */
  fork(to: string, at?: Offset, options?: { signal?: AbortSignal }): Promise<Stream<T>>
  delete(options?: { signal?: AbortSignal }): Promise<void>
  /** What a writer needs of it. */
  sink(): Sink
}

const FRESH_MS = 10_000

/** `created`: when this client has created it, by its clock. */
export function streamOf<T>(door: Door, options: StreamOptions<T>, created: number = -Infinity): Stream<T> {
  const { environment = platform, decode, schema, transport = "auto", signal } = options
  const retry = retryOf(options.retry)
  let { type } = options
  let writer: Producer<T> | undefined

  const plain: Source<unknown>["decode"] = (raw, form, known) =>
    decode ? decode(raw) : "value" in known ? known.value : valueOf(raw, form)

  const core: Source<T> & Sink = {
    door,
    retry,
    environment,
    signal,
    transport,
    known: () => type,
    learn: (told) => void (type ??= told),
    fresh: () => environment.now() - created < FRESH_MS,
    decode: (raw, form, known) => {
      const value = plain(raw, form, known)
      return schema ? validate(schema, value) : (value as T)
    },
    type: async () => type ?? (await self.head())?.type ?? JSON_TYPE,
  }

  const trying = <R>(own: AbortSignal | undefined, call: (again: boolean) => Promise<R>): Promise<R> =>
    insist(environment, retry, own ?? signal, call)

  const make = async (to: Door, headers: Fields, body: Uint8Array | undefined, own: AbortSignal | undefined): Promise<Info> =>
    trying(own, () => to.create(headers, body, own))

  const live = (): LiveDoor => {
    if (door.live) return door.live
    throw new HeadwaterError("unsupported", 'only a connection can: import { connect } from "headwater/connection"')
  }

  const writing = (create = false): Producer<T> => (writer ??= self.producer({ linger: 0, create }))

  const self: Stream<T> = {
    get url() {
      return door.url
    },
    get type() {
      return type
    },
    [Symbol.asyncIterator]: () => self.read()[Symbol.asyncIterator](),
    read: (reading = {}) => readerOf(core, reading),
    async all(reading) {
      const values: T[] = []
      for await (const { data } of self.read({ ...reading, live: false })) values.push(data)
      return values
    },
    append: (data, given = {}) => writing(given.create).append(data, given),
    producer: (producing) => producerOf(core, producing),
    async create({ type: given = type ?? JSON_TYPE, ttl, expiresAt, retention, slow, closed, records = [], signal: own } = {}) {
      const headers: Fields = {
        "content-type": given,
        "stream-ttl": ttl,
        "stream-expires-at": expiresAt instanceof Date ? expiresAt.toISOString() : expiresAt,
        "stream-retention": retention,
        "stream-slow": slow,
        "stream-closed": closed || undefined,
      }
      const bodies = records.map((record) => plainEncode(record, given))
      const info = await make(door, headers, bodies.length ? bodyOf(bodies, given) : undefined, own)
      type = given
      created = environment.now()
      return { ...info, type: info.type || given }
    },
    async head({ signal: own } = {}) {
      const info = await trying(own, () => door.head(own))
      type = info?.type || type
      return info
    },
    close: (last) => writing().close(last),
    fail: (code, message, last) => writing().fail(code, message, last),
    async fork(to, at, { signal: own } = {}) {
      const there = door.sibling(to)
      const from = new URL(door.sibling("").url).pathname
      await make(there, { "stream-forked-from": from, "stream-fork-offset": at }, undefined, own)
      return streamOf(there, options, environment.now())
    },
    async delete({ signal: own } = {}) {
      await trying(own, async (again) => {
        try {
          await door.delete(own)
        } catch (error) {
          // The answer to the first request was lost; it was done.
          if (!again || (error as HeadwaterError).code !== "stream-not-found") throw error
        }
      })
    },
    signal: (data, given) => live().signal(data, given),
    signals: () => live().signals(),
    presence: (state) => live().presence(state),
    sink: () => core,
  }
  return self
}

/** A stream by its URL; a relative one is the page's. */
export function stream<T = unknown>(url: string | URL, options: StreamOptions<T> = {}): Stream<T> {
  return streamOf(httpDoor(url, requesterOf(options, options.environment ?? platform)), options)
}
