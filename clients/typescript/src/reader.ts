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

import type { CodecOption } from "./codec.ts"
import type { Environment } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { eventsOf } from "./events.ts"
import { type Parts, load } from "./lazy.ts"
import { FIRST_BYTE, FRESH, QUICK } from "./limits.ts"
import { pause } from "./patience.ts"
import { type Form, type Raw, encodeText, formOf } from "./records.ts"
import { type Outcome, type Retry, backoffOf } from "./retry.ts"
import { onAbort } from "./signals.ts"
import type { Door, Known, Offset, Slow, Transport, TransportChoice, Wire, WireRecord } from "./transport.ts"
import { knownUntil } from "./transports/choice.ts"
import type { Choice } from "./transports/turn.ts"

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
  /** Records tell `at`, when they were appended, and `by`, who appended them; `long-poll` and `live-sse` leave both out. */
  envelope?: boolean
  transport?: TransportChoice | readonly TransportChoice[]
}

export interface Rec<T> extends Known {
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

/** A cursor over a stream. Iterating gives its records one by one. */
export interface Reader<T> extends AsyncIterable<Rec<T>, undefined>, AsyncDisposable {
  readonly state: ReaderState
  /** Behind the last record that was handed out and finished with. */
  readonly offset: Offset
  /** The transport of the current attempt. */
  readonly transport: string | null
  /** Attempts in a row that brought nothing. */
  readonly attempt: number
  /** When the next attempt begins, in milliseconds of the clock, while the reader waits. */
  readonly retryAt: number | null
  readonly lastError: HeadwaterError | null
  /** How reading ended; never rejects. */
  readonly end: Promise<End>
  on<K extends keyof ReaderEvents>(type: K, listener: (event: ReaderEvents[K]) => void): () => void
  [Symbol.asyncIterator](): AsyncIterableIterator<Rec<T>, undefined>
  /** Records as they come together, and gaps. */
  batches(): AsyncIterableIterator<Batch<T>, undefined>
  /** The values as a stream that reads nothing ahead. */
  readable(): ReadableStream<T>
  /** The records' bytes; records of JSON end with a line feed. */
  bytes(): ReadableStream<Uint8Array>
  /** Goes on behind the record that was refused with `bad-record`. */
  skip(): void
  /** Begins an attempt now, in place of the one that waits or the connection that is there. */
  reconnect(): void
  /** Ends reading; whoever waits for a record is told the end. */
  close(): void
}

/** What a reader needs of its stream. */
export interface Source<T> {
  door: Door
  retry: Retry
  environment: Environment
  transport: TransportChoice | readonly TransportChoice[]
  parts: Parts
  /** The content type, where it is known. */
  type?: string | undefined
  /** When this client has created it, by its clock. */
  created: number
  decode: (raw: Raw, form: Form, known: WireRecord) => T | Promise<T>
  signal?: AbortSignal
  codec?: CodecOption
}

const isPlace = (offset: Offset): boolean => !/^(start|now|-1)$/.test(offset)

/** What one turn of an attempt brings. */
interface Pulled {
  records: WireRecord[]
  offset: Offset
  upToDate: boolean
  gap?: Gap
}
type Writable<O> = { -readonly [K in keyof O]: O[K] }

export function readerOf<T>(source: Source<T>, options: ReadOptions): Reader<T> {
  const { door, retry, environment } = source
  const { live = true, gone = "throw", missing, checkpoint, transport = source.transport } = options
  const wanted = ([] as TransportChoice[]).concat(transport)
  const backoff = backoffOf(retry, environment)
  const { emit, on } = eventsOf<ReaderEvents>()
  /** Behind the last record that was received. */
  let cursor: Offset = options.from ?? "start"
  let list: Transport[] | undefined
  /** Which of them; without one, the first. */
  let choice: Choice | undefined
  /** Of the current attempt, or of the wait for the next one. */
  let attempt = new AbortController()
  let running: AsyncGenerator<Pulled, void, undefined> | undefined
  let ended: End | undefined
  let settle: (end: End) => void
  /** A gap that an attempt found, for whoever reads batches. */
  let owed: Pulled | undefined
  /** Asked once, before the first request. */
  let unloaded = checkpoint
  /** Whether a read that is not live has come to its end. */
  let reached = false
  /** Whether the next attempt does not wait. */
  let hurried = false

  // What consumers ask for

  let queue: readonly WireRecord[] = []
  let next = 0
  /** Where the queue's records are had again that have no place of their own, and where the reader stands behind them. */
  let before: Offset
  let behind: Offset
  let form: Form
  /** Behind the last record that was handed out. */
  let handed: Offset | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const unsettle = (): Promise<End> => new Promise((resolve) => (settle = resolve))

  async function* iterate<R>(most: number, give: (batch: Batch<T>) => readonly R[]): AsyncGenerator<R, undefined, undefined> {
    try {
      for (;;) {
        // One question at a time, in the order in which they are asked.
        const asked = turn.then(() => batch(most))
        turn = asked.catch(() => undefined)
        const told = await asked
        if (!told) return
        for (const each of give(told)) yield each
      }
    } finally {
      await leave()
    }
  }

  const readable = <R>(value: (record: Rec<T>) => R): ReadableStream<R> => {
    const records = self[Symbol.asyncIterator]()
    return new ReadableStream<R>(
      {
        async pull(controller) {
          const result = await records.next()
          if (result.done) controller.close()
          else controller.enqueue(value(result.value))
        },
        cancel: () => leave(),
      },
      // The default of one would read one record ahead, which nobody has asked for.
      { highWaterMark: 0 },
    )
  }

  /** The next records, at most so many, or what is told in their place. */
  const batch = async (most: number): Promise<Batch<T> | undefined> => {
    // The consumer asks for more: it has finished with what it got.
    if (handed !== undefined && ended?.kind !== "stopped") {
      self.offset = handed
      handed = undefined
      await checkpoint?.save(self.offset)
    }
    let upToDate = false
    let gap: Gap | undefined
    if (!queue[next]) {
      const told = await pull()
      if (!told) return
      before = self.offset
      ;({ records: queue, offset: behind, upToDate, gap } = told)
      next = 0
      form = formOf(source.type)
    }
    const records: Rec<T>[] = []
    for (let record = queue[next]; record && records.length < most; record = queue[next]) {
      const { raw, offset = queue[next + 1] ? before : behind } = record
      try {
        const value = source.decode(raw, typeof raw === "string" ? form : "bytes", record)
        // Only a schema may be asynchronous; a turn of the loop for each record is what it would cost all others.
        records.push({ data: value instanceof Promise ? await value : value, offset, raw, ...record.known })
        handed = offset
        next += 1
      } catch (cause) {
        // What is good before it comes first; the refusal is thrown when the next batch is asked for.
        if (records.length) {
          upToDate = false
          break
        }
        next += 1
        const error = await load(source.parts.rest).then(
          ({ badRecord }) => badRecord(cause, raw, offset),
          (network: HeadwaterError) => network,
        )
        await leave("error", error)
        throw error
      }
    }
    handed ??= cursor
    return { records, offset: handed, upToDate, gap } as Batch<T>
  }

  const pull = async (): Promise<Pulled | undefined> => {
    const told = ended ? undefined : (await (running ??= attempts()).next()).value
    // An end that is no good one is thrown.
    if (!told && ended?.error) throw ended.error
    return told as Pulled | undefined
  }

  // The life of the reader

  const setState = (state: ReaderState): undefined => {
    if (state !== self.state) emit("state", (self.state = state))
  }

  const finish = (kind: End["kind"], offset: Offset, error?: HeadwaterError, more?: Partial<End>): undefined => {
    if (ended) return
    ended = { kind, offset, ...(error && { code: error.code, error }), ...more }
    self.lastError = error ?? self.lastError
    self.transport = null
    setState("ended")
    settle(ended)
  }

  const leave = async (kind: End["kind"] = "stopped", error?: HeadwaterError): Promise<void> => {
    if (ended) return
    finish(kind, self.offset, error)
    attempt.abort()
    const run = running
    running = undefined
    await run?.return()
  }

  async function* attempts(): AsyncGenerator<Pulled, void, undefined> {
    const undo = [source.signal, options.signal].map((signal) => onAbort(signal, self.close))
    try {
      const saved = await unloaded?.load()
      unloaded = undefined
      if (saved) cursor = self.offset = saved
      while (!ended) yield* once()
    } finally {
      for (const each of undo) each()
    }
  }

  /** One attempt, from its request to its end, and the wait behind it. */
  async function* once(): AsyncGenerator<Pulled, void, undefined> {
    const from = cursor
    let opened: number | undefined
    let heard = false
    let outcome: Partial<Outcome> = {}
    attempt = new AbortController()
    hurried = false
    if (owed) yield owed
    owed = undefined
    try {
      setState("connecting")
      for await (const wire of await open()) {
        if (wire.kind === "open") opened = environment.now()
        else if (wire.kind !== "quiet") heard = true
        const isBad = wire.kind === "stream-error" || wire.kind === "stream-failed"
        const bad = isBad && (await load(source.parts.rest)).told(wire)
        if (wire.kind === "stream-error") throw bad
        if (wire.kind === "stream-detached") {
          const hint = Number(wire.retry_after) * 1000
          outcome = { hint, personal: true, planned: !hint }
          break
        }
        const pulled = ended ? undefined : hear(wire)
        if (bad) finish("failed", cursor, bad, bad.facts)
        if (pulled) yield pulled
        if (reached) finish("up-to-date", cursor)
        if (ended) break
      }
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error
      if (!ended) outcome = await failed(error, opened, from)
    } finally {
      attempt.abort()
      self.transport = null
    }
    const now = environment.now()
    if (!ended) await rest(hurried ? backoff.woken() : backoff.end({ up: now - (opened ?? now), heard, ...outcome }))
  }

  const open = async (): Promise<AsyncIterable<Wire>> => {
    const now = environment.now()
    list ??= door.transports(wanted, source.type, live, options.envelope)
    if (!choice && list[1] && knownUntil(door) > now) await choose()
    // The first one, and whether there is another.
    const [current, hasNext] = choice?.current(now) ?? (list as [Transport])
    self.transport = current.name
    return current.open({
      ...source,
      ...options,
      live,
      from: cursor,
      last: isPlace(cursor) ? undefined : options.last,
      first: hasNext ? FIRST_BYTE : undefined,
      signal: attempt.signal,
      sent: backoff.begin,
    })
  }

  /** Loads what chooses among transports. */
  const choose = async (): Promise<Choice> =>
    (choice ??= (await load(source.parts.rest)).choiceOf(door, wanted, live, list as Transport[], environment.now()))

  /** Whether there is a transport for the next attempt. What says nothing about one, such as a lost network, is settled here. */
  const goesOn = async (error: HeadwaterError, up: number, brought: boolean): Promise<boolean> => {
    const { code } = error
    if (code !== "network" && (code !== "truncated" || (!brought && up < QUICK))) {
      return choose().then(
        (choice) => choice.after(error, environment.now()),
        // Nothing says which: it is tried again.
        () => true,
      )
    }
    choice?.settle()
    return true
  }

  const atTail = (): void => {
    setState("live")
    reached = !live
  }

  const pulled = (records: WireRecord[], upToDate = false): Pulled => ({ records, offset: cursor, upToDate })

  const skipped = (gap: Gap): Pulled => {
    emit("gap", gap)
    return { ...pulled([]), gap }
  }

  /** Takes what an attempt told; gives what consumers are given. */
  const hear = (wire: Wire): Pulled | undefined => {
    const { kind, type, offset } = wire as { kind: string; type?: string; offset?: Offset }
    const known = isPlace(cursor)
    source.type ||= type
    // Without those that were had: a server, a proxy or a reconnect may send some again.
    const isNew = (each: WireRecord): boolean => !known || (each.offset ?? (offset as Offset)) > cursor
    const records = wire.kind === "records" ? wire.records.filter(isNew) : []
    if (offset && offset !== cursor && !(known && offset < cursor)) {
      cursor = offset
      // To learn where a stream begins is no progress.
      if (known || kind !== "up-to-date") backoff.progress()
    }
    switch (wire.kind) {
      case "open":
      case "stream-created":
        return setState("catching-up")
      case "stream-waiting":
        return setState("absent")
      case "records":
        if (wire.upToDate) atTail()
        return records.length ? pulled(records, wire.upToDate) : undefined
      case "up-to-date":
        atTail()
        return pulled([], true)
      case "stream-gap":
        return skipped({ from: wire.from, to: wire.to, reason: wire.reason })
      case "stream-signal":
      case "stream-presence":
        return emit("notice", { name: kind.slice(7) as "signal" | "presence", data: wire.data })
      case "stream-closed":
        return finish("closed", cursor)
      default:
        if (self.state === "catching-up" && known) setState("live")
    }
    return undefined
  }

  /** Why an attempt failed: an end, or what the next one must know. */
  const failed = async (error: HeadwaterError, opened: number | undefined, from: Offset): Promise<Partial<Outcome>> => {
    const now = environment.now()
    const { code, retryAfter: hint } = error
    const absent = code === "stream-not-found"
    self.lastError = error
    if (code === "stopped") finish("stopped", self.offset)
    else if (code === "offset-gone" && gone !== "throw") {
      const from = cursor
      cursor = gone === "now" ? gone : String(error.facts.earliest ?? "start")
      owed = skipped({ from, to: cursor, reason: "gone" })
    } else if (code === "stream-awaited") return { planned: true }
    else if (absent && missing === "wait") setState("absent")
    // A replica may not know yet what this client was told to be created.
    else if (absent && now - source.created < FRESH) return { hint }
    else if (error.retryable && (await goesOn(error, now - (opened ?? now), cursor !== from))) emit("error", error)
    else {
      const wasThere = opened !== undefined || isPlace(cursor)
      finish((absent || code === "stream-gone") && wasThere ? "deleted" : "error", self.offset, error)
    }
    return { hint }
  }

  /** Waits until the next attempt; null: there is none. */
  const rest = async (ms: number | null): Promise<void> => {
    if (ms === null) {
      finish("error", self.offset, self.lastError ?? new HeadwaterError("truncated", "it was cut"))
      return
    }
    const offline = !environment.online()
    let wait = ms
    // Whom nobody sees does not hurry; what brings something goes on as it was.
    if (environment.hidden() && backoff.count) wait = Math.max(wait, environment.random() * retry.cap)
    // What says that there is no network may lie, so that it is tried all the same, seldom.
    if (offline) wait = Math.max(wait, retry.cap)
    if (self.state !== "absent" && wait) setState(offline ? "offline" : "waiting")
    attempt = new AbortController()
    await pause(environment, backoff, wait, attempt.signal, (until, change) => {
      self.retryAt = until
      if (change === "offline") setState(change)
    })
    self.retryAt = null
  }

  const self: Writable<Reader<T>> = {
    state: "idle",
    offset: cursor,
    transport: null,
    get attempt() {
      return backoff.count
    },
    retryAt: null,
    lastError: null,
    end: unsettle(),
    on,
    [Symbol.asyncIterator]: () => iterate(1, ({ records }) => records),
    batches: () => iterate(Infinity, (told) => [told]),
    readable: () => readable(({ data }) => data),
    bytes: () =>
      readable(({ raw }) => (typeof raw === "string" ? encodeText(form === "json" ? `${raw}\n` : raw) : raw)),
    skip() {
      if (ended?.code !== "bad-record") return
      ended = undefined
      self.end = unsettle()
      setState("idle")
    },
    reconnect() {
      backoff.woken()
      hurried = true
      attempt.abort(new HeadwaterError("network", "reconnect"))
    },
    close: () => void leave(),
    [Symbol.asyncDispose]: () => leave(),
  }
  return self
}
