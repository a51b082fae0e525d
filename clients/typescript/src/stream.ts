/** A handle of a stream: names it, and does nothing until it is asked. */

import { type Environment, platform } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { HttpDoor } from "./http.ts"
import { insist } from "./patience.ts"
import { Producer, type ProducerOptions, type Sink, bodyOf, plainEncode } from "./producer.ts"
import { type ReadOptions, type Rec, Reader, type Source, plainDecode } from "./reader.ts"
import type { Form, Raw } from "./records.ts"
import { type RequestOptions, Requester } from "./request.ts"
import { type Retry, retryOf } from "./retry.ts"
import { type StandardSchema, validate } from "./schema.ts"
import type { Door, Info, LiveDoor, Offset, Presence, Signal, SignalOptions, TransportChoice, WireRecord } from "./transport.ts"

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

const JSON_TYPE = "application/json"
const FRESH_MS = 10_000

export class Stream<T = unknown> implements AsyncIterable<Rec<T>> {
  readonly url: string
  #door: Door
  #options: StreamOptions<T>
  #environment: Environment
  #retry: Retry
  #type: string | undefined
  #created = -Infinity
  #writer: Producer<T> | undefined

  constructor(door: Door, options: StreamOptions<T>) {
    this.url = door.url
    this.#door = door
    this.#options = options
    this.#environment = options.environment ?? platform
    this.#retry = retryOf(options.retry)
    this.#type = options.type
  }

  /** Its content type, where it is known. */
  get type(): string | undefined {
    return this.#type
  }

  /** Reading from the start: history, then live. */
  [Symbol.asyncIterator](): AsyncIterator<Rec<T>, undefined> {
    return this.read()[Symbol.asyncIterator]()
  }

  /** A cursor; it asks for nothing until a record is asked of it. */
  read(options: ReadOptions = {}): Reader<T> {
    return new Reader(this.#source(), options)
  }

  /** Every value up to the tail. */
  async all(options: Omit<ReadOptions, "live"> = {}): Promise<T[]> {
    const values: T[] = []
    for await (const { records } of this.read({ ...options, live: false }).batches()) {
      for (const { data } of records) values.push(data)
    }
    return values
  }

  /** Appends, exactly once as long as this object lives; resolves when it is acknowledged. */
  append(data: T, options: { signal?: AbortSignal; create?: boolean } = {}): Promise<Offset> {
    this.#writer ??= this.producer({ linger: 0, create: options.create ?? false })
    return this.#writer.append(data, options)
  }

  producer(options: ProducerOptions = {}): Producer<T> {
    return new Producer(this.sink(), options)
  }

  /** Creates it; one with the same configuration that is there already is fine. */
  async create(options: CreateOptions<T> = {}): Promise<Info> {
    const type = options.type ?? this.#type ?? JSON_TYPE
    const headers: Record<string, string> = { "content-type": type }
    const set = (name: string, value: unknown): void => {
      if (value !== undefined) headers[name] = String(value)
    }
    const { expiresAt } = options
    set("stream-ttl", options.ttl)
    set("stream-expires-at", expiresAt instanceof Date ? expiresAt.toISOString() : expiresAt)
    set("stream-retention", options.retention)
    set("stream-slow", options.slow)
    if (options.closed) headers["stream-closed"] = "true"
    const records = options.records?.map((record) => plainEncode(record, type))
    const body = records?.length ? bodyOf(records, type) : undefined
    const info = await this.#insist(options.signal, () => this.#door.create(headers, body, options.signal))
    this.#type = type
    this.#created = this.#environment.now()
    return { ...info, type: info.type || type }
  }

  /** Its state; null: there is none. */
  async head(options: { signal?: AbortSignal } = {}): Promise<Info | null> {
    const info = await this.#insist(options.signal, () => this.#door.head(options.signal))
    if (info?.type) this.#type = info.type
    return info
  }

  /** Closes it, behind what this object has appended. */
  close(...last: [last?: T]): Promise<Offset> {
    return this.#writing().close(...last)
  }

  /** Ends it as not complete. */
  fail(code: string, message?: string, ...last: [last?: T]): Promise<Offset> {
    return this.#writing().fail(code, message, ...last)
  }

  /** A stream with this one's records up to the offset, or all of them, and its own from there on. */
  async fork(to: string, at?: Offset, options: { signal?: AbortSignal } = {}): Promise<Stream<T>> {
    const door = this.#door.sibling(to)
    const headers: Record<string, string> = { "stream-forked-from": new URL(this.#door.sibling("").url).pathname }
    if (at !== undefined) headers["stream-fork-offset"] = at
    await this.#insist(options.signal, () => door.create(headers, undefined, options.signal))
    const fork = new Stream<T>(door, this.#options)
    fork.#created = this.#environment.now()
    return fork
  }

  async delete(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#insist(options.signal, async (again) => {
      try {
        await this.#door.delete(options.signal)
      } catch (error) {
        // The answer to the first request was lost; it was done.
        if (again && error instanceof HeadwaterError && error.code === "stream-not-found") return
        throw error
      }
    })
  }

  /** Tells the live readers something that is not stored; needs a connection. */
  signal(data: unknown, options: SignalOptions = {}): void {
    this.#live().signal(data, options)
  }

  /** What others tell so; needs a connection. */
  signals(): AsyncIterable<Signal> {
    return this.#live().signals()
  }

  /** Who is there, this client included if it says a state; needs a connection. */
  presence(state?: unknown): Presence {
    return this.#live().presence(state)
  }

  #live(): LiveDoor {
    const { live } = this.#door
    if (live) return live
    throw new HeadwaterError("unsupported", 'only a connection can: import { connect } from "headwater/connection"')
  }

  #writing(): Producer<T> {
    return (this.#writer ??= this.producer({ linger: 0 }))
  }

  #insist<R>(signal: AbortSignal | undefined, call: (again: boolean) => Promise<R>): Promise<R> {
    return insist(this.#environment, this.#retry, signal ?? this.#options.signal, call)
  }

  #source(): Source<T> {
    const { transport = "auto" } = this.#options
    return {
      door: this.#door,
      retry: this.#retry,
      environment: this.#environment,
      transport: Array.isArray(transport) ? (transport as TransportChoice[]) : [transport as TransportChoice],
      type: () => this.#type,
      learn: (type) => (this.#type ??= type),
      fresh: () => this.#environment.now() - this.#created < FRESH_MS,
      decode: this.#decoder(),
      signal: this.#options.signal,
    }
  }

  #decoder(): (raw: Raw, form: Form, known: WireRecord) => T | Promise<T> {
    const { decode, schema } = this.#options
    const plain = decode ? (raw: Raw): unknown => decode(raw) : plainDecode
    if (!schema) return plain as (raw: Raw, form: Form, known: WireRecord) => T
    return (raw, form, known) => validate(schema, plain(raw, form, known))
  }

  /** What a writer needs of it. */
  sink(): Sink<T> {
    return {
      door: this.#door,
      retry: this.#retry,
      environment: this.#environment,
      signal: this.#options.signal,
      type: async () => this.#type ?? (await this.head())?.type ?? JSON_TYPE,
      encode: plainEncode,
    }
  }
}

/** A stream by its URL; a relative one is the page's. */
export function stream<T = unknown>(url: string | URL, options: StreamOptions<T> = {}): Stream<T> {
  const requester = new Requester(options, options.environment ?? platform)
  return new Stream<T>(new HttpDoor(url, requester), options)
}
