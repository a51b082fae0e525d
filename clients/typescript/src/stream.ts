/** A handle of a stream: names it, and does nothing until it is asked. */

import type { CodecOption } from "./codec.ts"
import { platform } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { httpDoor } from "./http.ts"
import { type Parts, lazy, load, loaded, problemBy } from "./lazy.ts"
import type { Producer, ProducerOptions, Sink } from "./producer.ts"
import { promised } from "./promised.ts"
import { type ReadOptions, type Reader, type Rec, type Source, readerOf } from "./reader.ts"
import { type Raw, valueOf } from "./records.ts"
import { type RequestOptions, senderOf } from "./request.ts"
import { retryOf } from "./retry.ts"
import { type StandardSchema, accepted } from "./schema.ts"
import { onAbort } from "./signals.ts"
import type { Door, Info, LiveDoor, Offset, TransportChoice } from "./transport.ts"
import type { Core, Writer } from "./writing.ts"

export interface StreamOptions<T> extends RequestOptions {
  /** The content type; without it what HEAD says, else `application/json`. */
  type?: string
  /** Makes the value of a record's text or bytes. */
  decode?: (raw: Raw) => T
  /** Makes values of bytes and bytes of values, of a stream of MessagePack, Protobuf or anything else in bytes. */
  codec?: CodecOption
  /** Checks the value; what it refuses is the error `bad-record`. */
  schema?: StandardSchema<T>
  /** `auto`: SSE for JSON, NDJSON for others, long-poll where neither comes through. */
  transport?: TransportChoice | readonly TransportChoice[]
  /** Where nothing can be loaded later, as in a service worker: `parts` of `headwater/parts`, which has all of it. */
  parts?: Parts
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

type Written = Exclude<keyof Writer<unknown>, "producer">

const only = (): never => {
  throw new HeadwaterError("unsupported", "needs headwater/connection")
}

/** `created`: when this client has created it, by its clock. */
export function streamOf<T>(door: Door, options: StreamOptions<T>, created: number = -Infinity): Stream<T> {
  const { environment = platform, decode, schema, transport = "auto", signal, parts = lazy } = options
  const retry = retryOf(options.retry)

  const core: Source<T> & Core<T> = {
    ...options,
    door,
    retry,
    environment,
    transport,
    parts,
    created,
    another: (there) => streamOf(there, options, environment.now()),
    decode: (raw, form, known) => {
      const value = decode ? decode(raw) : "value" in known ? known.value : valueOf(raw, form)
      return schema ? accepted(schema["~standard"].validate(value)) : (value as T)
    },
  }

  const writer = loaded(environment, retry, signal, async () => (await load(parts.writing)).writerOf(core, await door.writes()))

  /** What is asked of it, in the order of the calls. Its options have the place `at`. */
  const later =
    <K extends Written>(name: K, at?: number): Writer<T>[K] =>
    (...given: never[]): Promise<never> =>
      new Promise((resolve, reject) => {
        const ignore = onAbort((given[at as number] as { signal?: AbortSignal } | undefined)?.signal, reject)
        const asked = (to: Writer<T>): Promise<never> => (to[name] as (...given: never[]) => Promise<never>)(...given)
        writer().finally(ignore).then(asked).then(resolve, reject)
      })

  const self: Stream<T> = {
    get url() {
      return door.url
    },
    get type() {
      return core.type
    },
    [Symbol.asyncIterator]: () => self.read()[Symbol.asyncIterator](),
    read: (reading = {}) => readerOf(core, reading),
    async all(reading) {
      const values: T[] = []
      for await (const { data } of self.read({ ...reading, live: false })) values.push(data)
      return values
    },
    append: later("append", 1),
    producer: (given) => promised((all) => writer().then((to) => to.producer(all)), given),
    create: later("create", 0),
    head: later("head", 0),
    close: later("close"),
    fail: later("fail"),
    fork: later("fork", 2),
    delete: later("delete", 0),
    ...(door.live ?? { signal: only, signals: only, presence: only }),
    sink: () => core,
  }
  return self
}

/** A stream by its URL; a relative one is the page's. */
export function stream<T = unknown>(url: string | URL, options: StreamOptions<T> = {}): Stream<T> {
  const { environment = platform, parts = lazy } = options
  return streamOf(httpDoor(url, { ...senderOf(options, environment), problem: problemBy(parts) }, parts), options)
}
