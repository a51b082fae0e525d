/**
 * A cursor over a stream, that survives what carries it.
 *
 * Rule 1: nothing is read that is not asked for. Between two records that are asked for the socket waits.
 * Rule 2: `offset` is behind the last record that was handed out *and* finished with: it moves when the next one is
 * asked for. Where a lost connection is taken up is another place: behind what was received.
 * Rule 3: one attempt at a time; the old one is ended before the next begins.
 * Rule 4: an end that was not told is a loss.
 * Rule 5: every end is told: by the end of the iteration, or by what it throws, and by `end`.
 */

import type { Environment } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { type Raw, type Form, formOf, valueOf } from "./records.ts"
import { Backoff, type Outcome, type Retry } from "./retry.ts"
import type { Attempt, Door, Offset, Slow, TransportChoice, Wire, WireRecord } from "./transport.ts"
import { Choice } from "./transports/choice.ts"

export type ReaderState = "idle" | "connecting" | "absent" | "catching-up" | "live" | "waiting" | "offline" | "ended"

/** Where a consumer keeps how far it has come. */
export interface Checkpoint {
  /** Asked once, before the first request. */
  load(): Offset | null | undefined | Promise<Offset | null | undefined>
  /** Told when the consumer has finished with a record and asks for the next one. */
  save(offset: Offset): void | Promise<void>
}

export interface ReadOptions {
  /** An offset, `start` (which is the default) or `now`. */
  from?: Offset | "start" | "now"
  /** So many of the newest records, in place of `from`. */
  last?: number
  /** False: ends at the tail. */
  live?: boolean
  signal?: AbortSignal
  checkpoint?: Checkpoint
  /** What the server does when this reader is too slow. */
  slow?: Slow
  /** Bytes held for a consumer that does not pull, where the transport has no brake of its own; 65,536. */
  buffer?: number
  /** When the server no longer has the records at the offset. The last two tell a gap. */
  gone?: "throw" | "earliest" | "now"
  /** When there is no stream: an error, or wait until it is created. */
  missing?: "throw" | "wait"
  transport?: TransportChoice | readonly TransportChoice[]
}

export interface Rec<T> {
  readonly data: T
  /** Where to go on behind this record. */
  readonly offset: Offset
  /** The record as the wire had it. */
  readonly raw: Raw
}

export interface Gap {
  readonly from: Offset
  readonly to: Offset
  readonly reason?: string | undefined
}

/** What one turn brings: records, or the news that some are left out. */
export type Batch<T> =
  | { readonly records: readonly Rec<T>[]; readonly offset: Offset; readonly upToDate: boolean; readonly gap?: undefined }
  | { readonly records: readonly never[]; readonly offset: Offset; readonly upToDate: false; readonly gap: Gap }

export interface End {
  /** `up-to-date`: of a read that is not live. */
  kind: "closed" | "failed" | "deleted" | "stopped" | "up-to-date" | "error"
  offset: Offset
  code?: string
  message?: string
  error?: HeadwaterError
}

export interface ReaderEvents {
  state: ReaderState
  gap: Gap
  /** An attempt failed; the reader goes on. */
  error: HeadwaterError
  /** A signal or a change of presence, where the transport tells them. */
  notice: { name: "signal" | "presence"; data: unknown }
}

/** What a reader needs of its stream. */
export interface Source<T> {
  door: Door
  retry: Retry
  environment: Environment
  transport: readonly TransportChoice[]
  type(): string | undefined
  learn(type: string): void
  /** Whether this stream was created by this client a moment ago. */
  fresh(): boolean
  decode: (raw: Raw, form: Form, known: WireRecord) => T | Promise<T>
  signal: AbortSignal | undefined
}

const BACK = 500
const OVER = { done: true, value: undefined } as const
const FRESH_TRIES = 3
const real = (offset: Offset): boolean => offset !== "start" && offset !== "now" && offset !== "-1"

type Listeners = { [K in keyof ReaderEvents]: Set<(event: ReaderEvents[K]) => void> }
type Pulled = Extract<Wire, { kind: "records" | "gap" | "up-to-date" }>

export class Reader<T> implements AsyncIterable<Rec<T>>, AsyncDisposable {
  #source: Source<T>
  #options: ReadOptions
  #state: ReaderState = "idle"
  #offset: Offset
  #cursor: Offset
  #backoff: Backoff
  #choice: Choice | undefined
  #transport: string | null = null
  #retryAt: number | null = null
  #lastError: HeadwaterError | null = null
  #stop = new AbortController()
  #attempt: AbortController | undefined
  #skipWait: (() => void) | undefined
  #run: AsyncGenerator<Pulled, void, undefined> | undefined
  #queue: readonly WireRecord[] = []
  #next = 0
  #form: Form | undefined
  #handed: Offset | undefined
  #ended: End | undefined
  #end!: Promise<End>
  #settle!: (end: End) => void
  #reached = false
  /** A gap that an attempt found, for whoever reads batches. */
  #owed: Pulled | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #absentTries = 0
  #listeners: Listeners = { state: new Set(), gap: new Set(), error: new Set(), notice: new Set() }

  constructor(source: Source<T>, options: ReadOptions) {
    this.#source = source
    this.#options = options
    this.#cursor = this.#offset = options.from ?? "start"
    this.#backoff = new Backoff(source.retry, source.environment.random)
    this.#unsettle()
  }

  /** How reading ended; never rejects. */
  get end(): Promise<End> {
    return this.#end
  }

  get state(): ReaderState {
    return this.#state
  }

  /** Behind the last record that was handed out and finished with. */
  get offset(): Offset {
    return this.#offset
  }

  /** The transport of the current attempt. */
  get transport(): string | null {
    return this.#transport
  }

  /** Attempts in a row that brought nothing. */
  get attempt(): number {
    return this.#backoff.count
  }

  /** When the next attempt begins, in milliseconds of the clock, while the reader waits. */
  get retryAt(): number | null {
    return this.#retryAt
  }

  get lastError(): HeadwaterError | null {
    return this.#lastError
  }

  on<K extends keyof ReaderEvents>(type: K, listener: (event: ReaderEvents[K]) => void): () => void {
    this.#listeners[type].add(listener)
    return () => this.#listeners[type].delete(listener)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Rec<T>, undefined> {
    return this.#iterate(() => this.#record())
  }

  /** Records as they come together, and gaps. */
  batches(): AsyncIterableIterator<Batch<T>, undefined> {
    return this.#iterate(() => this.#batch())
  }

  /** One question at a time, in the order in which they are asked. */
  #iterate<R>(next: () => Promise<R | null>): AsyncIterableIterator<R, undefined> {
    const iterator: AsyncIterableIterator<R, undefined> = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => {
        const result = this.#turn.then(next).then((value) => (value === null ? OVER : { done: false as const, value }))
        this.#turn = result.catch(() => undefined)
        return result
      },
      return: async () => {
        await this.#leave()
        return OVER
      },
    }
    return iterator
  }

  /** The values as a stream that reads nothing ahead. */
  readable(): ReadableStream<T> {
    return this.#toReadable((record) => record.data)
  }

  /** The records' bytes; records of JSON end with a line feed. */
  bytes(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    return this.#toReadable(({ raw }) => {
      if (typeof raw !== "string") return raw
      return encoder.encode(this.#formOf(raw) === "json" ? `${raw}\n` : raw)
    })
  }

  /** Goes on behind the record that was refused with `bad-record`. */
  skip(): void {
    if (this.#ended?.error?.code !== "bad-record") return
    this.#ended = undefined
    this.#stop = new AbortController()
    this.#unsettle()
    this.#setState("idle")
  }

  #unsettle(): void {
    this.#end = new Promise((resolve) => (this.#settle = resolve))
  }

  /** Begins an attempt now, in place of the one that waits or the connection that is there. */
  reconnect(): void {
    this.#backoff.wake()
    this.#skipWait?.()
    this.#attempt?.abort(new HeadwaterError("network", "reconnect() was called"))
  }

  /** Ends reading; whoever waits for a record is told the end. */
  close(): void {
    void this.#leave()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave()
  }

  // What consumers ask for

  async #record(): Promise<Rec<T> | null> {
    await this.#finish()
    while (this.#next >= this.#queue.length) {
      const wire = await this.#pull()
      if (!wire) return null
      if (wire.kind === "records") this.#take(wire)
      else this.#offset = this.#cursor
    }
    try {
      return await this.#hand()
    } catch (error) {
      throw await this.#refuse(error as HeadwaterError)
    }
  }

  async #batch(): Promise<Batch<T> | null> {
    await this.#finish()
    let upToDate = false
    if (this.#next >= this.#queue.length) {
      const wire = await this.#pull()
      if (!wire) return null
      if (wire.kind !== "records") return this.#without(wire)
      this.#take(wire)
      upToDate = wire.upToDate
    }
    return this.#handAll(upToDate)
  }

  #without(wire: Exclude<Pulled, { kind: "records" }>): Batch<T> {
    this.#handed = this.#cursor
    const offset = this.#cursor
    if (wire.kind === "up-to-date") return { records: [], offset, upToDate: true }
    const { from, to, reason } = wire
    return { records: [], offset, upToDate: false, gap: { from, to, reason } }
  }

  async #handAll(upToDate: boolean): Promise<Batch<T>> {
    const records: Rec<T>[] = []
    while (this.#next < this.#queue.length) {
      const at = this.#next
      try {
        records.push(await this.#hand())
      } catch (error) {
        if (!records.length) throw await this.#refuse(error as HeadwaterError)
        // What is good before it comes first; the refusal is thrown when the next batch is asked for.
        this.#next = at
        upToDate = false
        break
      }
    }
    return { records, offset: this.#handed ?? this.#cursor, upToDate }
  }

  #take(wire: Extract<Wire, { kind: "records" }>): void {
    this.#queue = wire.records
    this.#next = 0
    this.#form = wire.type === undefined ? undefined : formOf(wire.type)
  }

  #formOf(raw: Raw): Form {
    if (typeof raw !== "string") return "bytes"
    const type = this.#source.type()
    return this.#form ?? (type === undefined ? "json" : formOf(type))
  }

  async #hand(): Promise<Rec<T>> {
    const record = this.#queue[this.#next++] as WireRecord
    try {
      const value = this.#source.decode(record.raw, this.#formOf(record.raw), record)
      // Only a schema may be asynchronous; a turn of the loop for each record is what it would cost all others.
      const data = value instanceof Promise ? await value : value
      this.#handed = record.offset
      return { data, offset: record.offset, raw: record.raw }
    } catch (cause) {
      const told = cause instanceof Error ? cause.message : String(cause)
      const facts = { raw: record.raw, ...(cause instanceof HeadwaterError ? cause.facts : {}) }
      throw new HeadwaterError("bad-record", `a record was refused: ${told}`, { offset: record.offset, facts, cause })
    }
  }

  async #refuse(error: HeadwaterError): Promise<HeadwaterError> {
    await this.#leave({ kind: "error", offset: this.#offset, code: error.code, error })
    return error
  }

  /** The consumer asks for more: it has finished with what it got. */
  async #finish(): Promise<void> {
    if (this.#handed === undefined || this.#ended?.kind === "stopped") return
    this.#offset = this.#handed
    this.#handed = undefined
    await this.#options.checkpoint?.save(this.#offset)
  }

  #toReadable<R>(value: (record: Rec<T>) => R): ReadableStream<R> {
    const iterator = this[Symbol.asyncIterator]()
    return new ReadableStream<R>(
      {
        async pull(controller) {
          const result = await iterator.next()
          if (result.done) controller.close()
          else controller.enqueue(value(result.value))
        },
        cancel: () => this.#leave(),
      },
      // The default of one would read one record ahead, which nobody has asked for.
      { highWaterMark: 0 },
    )
  }

  // The life of the reader

  async #pull(): Promise<Pulled | null> {
    if (this.#ended) return this.#done()
    this.#run ??= this.#attempts()
    const { value, done } = await this.#run.next()
    return done ? this.#done() : value
  }

  /** The end, thrown where it is no good one; once, then the iteration is over. */
  #done(): null {
    const ended = this.#ended
    const thrown = ended?.error
    if (thrown && ended.kind !== "stopped") throw thrown
    return null
  }

  async #leave(end: End = { kind: "stopped", offset: this.#offset }): Promise<void> {
    if (this.#ended) return
    this.#finishWith(end)
    this.#stop.abort()
    this.#attempt?.abort(stopped())
    const run = this.#run
    this.#run = undefined
    await run?.return()
  }

  #finishWith(end: End): void {
    if (this.#ended) return
    this.#ended = end
    if (end.error) this.#lastError = end.error
    this.#transport = null
    this.#setState("ended")
    this.#settle(end)
  }

  async *#attempts(): AsyncGenerator<Pulled, void, undefined> {
    const { environment, signal } = this.#source
    const outer = [signal, this.#options.signal].filter((each) => each !== undefined)
    const abort = (): void => this.close()
    for (const each of outer) {
      if (each.aborted) this.#finishWith({ kind: "stopped", offset: this.#offset })
      each.addEventListener("abort", abort)
    }
    try {
      await this.#load()
      while (!this.#ended) {
        const began = environment.now()
        const wait = yield* this.#once(began)
        if (!this.#ended) await this.#wait(wait)
      }
    } finally {
      for (const each of outer) each.removeEventListener("abort", abort)
    }
  }

  async #load(): Promise<void> {
    const saved = await this.#options.checkpoint?.load()
    if (saved) this.#cursor = this.#offset = saved
  }

  /** One attempt, from its request to its end; gives the milliseconds until the next one. */
  async *#once(began: number): AsyncGenerator<Pulled, number, undefined> {
    const { environment } = this.#source
    const attempt = (this.#attempt = new AbortController())
    const stats = { opened: undefined as number | undefined, heard: false, from: this.#cursor }
    let outcome: Omit<Outcome, "up" | "heard"> = {}
    const owed = this.#owed
    this.#owed = undefined
    if (owed) yield owed
    try {
      this.#setState("connecting")
      for await (const wire of this.#open(attempt.signal, began)) {
        if (this.#ended) break
        if (wire.kind === "open") stats.opened = environment.now()
        else if (wire.kind !== "quiet") stats.heard = true
        if (wire.kind === "detached") {
          const hint = wire.retryAfter ?? 0
          outcome = hint ? { hint, personal: true } : { planned: true }
          break
        }
        const pulled = this.#hear(wire)
        if (pulled) yield pulled
        if (this.#reached) this.#finishWith({ kind: "up-to-date", offset: this.#cursor })
        if (this.#ended) break
      }
    } catch (error) {
      outcome = await this.#failed(error as HeadwaterError, stats.opened, stats.from)
    } finally {
      attempt.abort(stopped())
      this.#transport = null
    }
    if (this.#ended) return 0
    return this.#waitFor({ up: stats.opened === undefined ? 0 : environment.now() - stats.opened, heard: stats.heard, ...outcome })
  }

  #open(signal: AbortSignal, began: number): AsyncIterable<Wire> {
    const { environment, retry, door, transport } = this.#source
    const { last, live = true, slow, missing, buffer = 65_536 } = this.#options
    const own = this.#options.transport
    const wanted = own === undefined ? transport : Array.isArray(own) ? own : [own]
    const choice = (this.#choice ??= new Choice(door, wanted, this.#source.type(), live, began))
    const current = choice.current(began)
    this.#transport = current.name
    const attempt: Attempt = {
      from: this.#cursor,
      last: real(this.#cursor) ? undefined : last,
      live,
      slow,
      wait: missing === "wait",
      type: this.#source.type(),
      buffer,
      retry,
      first: choice.first,
      environment,
      signal,
      sent: () => this.#backoff.begin(environment.now()),
    }
    return current.open(attempt)
  }

  /** Takes what an attempt told; gives what consumers are given. */
  #hear(wire: Wire): Pulled | null {
    switch (wire.kind) {
      case "open":
        if (wire.type) this.#source.learn(wire.type)
        this.#setState("catching-up")
        return null
      case "records":
        return this.#records(wire)
      case "up-to-date":
        if (wire.offset) this.#forward(wire.offset, real(this.#cursor))
        this.#setState("live")
        this.#reached = this.#options.live === false
        return wire
      case "beat":
      case "quiet":
        if (this.#state === "catching-up" && real(this.#cursor)) this.#setState("live")
        return null
      case "gap":
        this.#forward(wire.offset)
        this.#emit("gap", { from: wire.from, to: wire.to, reason: wire.reason })
        return wire
      case "waiting":
        this.#setState("absent")
        return null
      case "created":
        if (wire.type) this.#source.learn(wire.type)
        this.#setState("catching-up")
        return null
      case "notice":
        this.#emit("notice", { name: wire.name, data: wire.data })
        return null
      default:
        return this.#over(wire)
    }
  }

  #over(wire: Extract<Wire, { kind: "end" | "error" | "detached" }>): null {
    if (wire.kind === "error") throw wire.error
    if (wire.kind === "detached") return null
    if (wire.offset) this.#forward(wire.offset)
    const offset = this.#cursor
    if (wire.end === "closed") this.#finishWith({ kind: "closed", offset })
    else {
      const code = wire.code ?? ""
      const message = wire.message ?? ""
      const facts = { code, message }
      const error = new HeadwaterError("stream-failed", `the stream failed: ${code} ${message}`.trim(), { offset, facts })
      this.#finishWith({ kind: "failed", offset, code, message, error })
    }
    return null
  }

  /** Without those that were had: a server, a proxy or a reconnect may send some again. */
  #records(wire: Extract<Wire, { kind: "records" }>): Pulled | null {
    if (wire.type) this.#source.learn(wire.type)
    const before = this.#cursor
    let kept = wire.records
    if (real(before)) {
      if (wire.single) kept = kept.filter((record) => record.offset > before)
      else if (wire.offset <= before) kept = []
    }
    this.#forward(wire.offset)
    if (wire.upToDate) {
      this.#setState("live")
      this.#reached = this.#options.live === false
    }
    return kept.length ? { ...wire, records: kept } : null
  }

  /** `brought`: whether that is progress; to learn where a stream begins is none. */
  #forward(offset: Offset, brought = true): void {
    if (!offset || offset === this.#cursor || (real(this.#cursor) && offset < this.#cursor)) return
    this.#cursor = offset
    this.#absentTries = 0
    if (brought) this.#backoff.progress(this.#source.environment.now())
  }

  /** Why an attempt failed: an end, or what the next one must know. */
  async #failed(error: HeadwaterError, opened: number | undefined, from: Offset): Promise<Omit<Outcome, "up" | "heard">> {
    const now = this.#source.environment.now()
    if (this.#ended) return {}
    if (!(error instanceof HeadwaterError)) throw error
    this.#lastError = error
    if (error.code === "stopped") {
      this.#finishWith({ kind: "stopped", offset: this.#offset })
      return {}
    }
    if (error.code === "offset-gone" && this.#goOn(error)) return {}
    if (error.code === "stream-awaited") return { planned: true }
    if (this.#waitsForIt(error)) return { hint: error.retryAfter }
    const up = opened === undefined ? 0 : now - opened
    if (!error.retryable || !(await this.#choice?.after(error, up, this.#cursor !== from, now))) {
      const missing = error.code === "stream-gone" || error.code === "stream-not-found"
      const gone = missing && (opened !== undefined || real(this.#cursor))
      this.#finishWith({ kind: gone ? "deleted" : "error", offset: this.#offset, code: error.code, error })
      return {}
    }
    this.#emit("error", error)
    return { hint: error.retryAfter }
  }

  /** There is no stream: whether that is to be waited for. */
  #waitsForIt(error: HeadwaterError): boolean {
    if (error.code !== "stream-not-found") return false
    if (this.#options.missing === "wait") {
      this.#setState("absent")
      return true
    }
    // A replica may not know yet what this client was told to be created.
    return this.#source.fresh() && ++this.#absentTries <= FRESH_TRIES
  }

  #goOn(error: HeadwaterError): boolean {
    const { gone = "throw" } = this.#options
    if (gone === "throw") return false
    const from = this.#cursor
    const earliest = error.facts.earliest
    this.#cursor = gone === "now" ? "now" : typeof earliest === "string" ? earliest : "start"
    const gap = { from, to: this.#cursor, reason: "gone" }
    this.#emit("gap", gap)
    this.#owed = { kind: "gap", offset: this.#cursor, ...gap }
    return true
  }

  #waitFor(outcome: Outcome): number {
    const { environment, retry } = this.#source
    const wait = this.#backoff.end(outcome, environment.now())
    if (wait === null) {
      const error = this.#lastError ?? new HeadwaterError("truncated", "the answer ended before its end was told")
      this.#finishWith({ kind: "error", offset: this.#offset, code: error.code, error })
      return 0
    }
    // Whom nobody sees does not hurry; what brings something goes on as it was.
    if (environment.hidden() && this.#backoff.count) return Math.max(wait, environment.random() * retry.cap)
    return wait
  }

  /** Waits, for the time or for what makes it pointless to wait longer. */
  async #wait(ms: number): Promise<void> {
    if (this.#ended) return
    const { environment } = this.#source
    const offline = !environment.online()
    // What says that there is no network may lie, so that it is tried all the same, seldom.
    const wait = offline ? Math.max(ms, this.#source.retry.cap) : ms
    if (this.#state !== "absent" && wait) this.#setState(offline ? "offline" : "waiting")
    const undo: (() => void)[] = []
    await new Promise<void>((resolve) => {
      const arm = (time: number): void => {
        this.#retryAt = environment.now() + time
        undo.push(environment.timer(time, resolve, "pause"))
      }
      const wake = (spread: number): void => {
        this.#backoff.wake()
        arm(Math.max(spread, this.#backoff.held(environment.now())))
      }
      arm(wait)
      undo.push(
        environment.watch((change) => {
          if (change === "offline") this.#setState("offline")
          else if (change === "online") wake(environment.random() * BACK)
          else if (change === "visible" || change === "resume") wake(0)
        }),
      )
      this.#skipWait = resolve
      this.#stop.signal.addEventListener("abort", () => resolve(), { once: true })
    })
    this.#skipWait = undefined
    this.#retryAt = null
    for (const each of undo) each()
  }

  #setState(state: ReaderState): void {
    if (state === this.#state) return
    this.#state = state
    this.#emit("state", state)
  }

  #emit<K extends keyof ReaderEvents>(type: K, event: ReaderEvents[K]): void {
    for (const listener of this.#listeners[type]) listener(event)
  }
}

export const plainDecode = (raw: Raw, form: Form, known: WireRecord): unknown =>
  "value" in known ? known.value : valueOf(raw, form)
