/**
 * An idempotent writer: what it appends arrives once, for as long as it lives.
 *
 * Rule 1: a batch is frozen when it gets its number, before it is first sent, and is sent again byte for byte.
 * Rule 2: a number counts requests, not records: what is frozen is never put together again.
 * Rule 3: batches go out in order, up to `inFlight` at a time; one that came too early is sent again behind those before it.
 * Rule 4: a refusal ends the epoch. Its number was not used, so that nothing behind it was accepted; under the next epoch a
 * request that is still on its way cannot be taken for another one of the same number.
 * Rule 5: below the lowest that is not acknowledged, the server forgot this producer: what was never answered has an
 * unknown outcome, and the rest goes out under a new epoch.
 */

import type { Environment } from "./environment.ts"
import { HeadwaterError, forgotten, stopped, unknownOutcome } from "./errors.ts"
import { BAD_ANSWERS } from "./limits.ts"
import { pause } from "./patience.ts"
import { bodyOf, joins } from "./bodies.ts"
import { type Retry, backoffOf } from "./retry.ts"
import { onAbort } from "./signals.ts"
import type { Door, Offset, Write, Writes } from "./transport.ts"

export interface ProducerOptions {
  /** The producer's name; random. */
  id?: string
  epoch?: number
  /** Milliseconds in which records are put together; 5. */
  linger?: number
  /** Bytes of a batch at most; 1 MiB. */
  batchBytes?: number
  /** Batches that are under way at the same time; 5. */
  inFlight?: number
  /** Bytes that wait for their acknowledgement, above which `append` and `write` wait; 8 MiB. */
  bufferBytes?: number
  /** When a newer producer of this name has taken over: take the name back. */
  claim?: boolean
  /** Create the stream with the first append, if there is none. */
  create?: boolean
  /** False: without a name, for servers that know no producers. Then a lost answer is `unknown-outcome`, and nothing is sent twice. */
  idempotent?: boolean
}

/** An idempotent writer. */
export interface Producer<T> extends AsyncDisposable {
  readonly id: string
  /** Records that are not acknowledged yet. */
  readonly pending: number
  /** Appends; resolves when it is acknowledged, with the offset behind its batch. */
  append(data: T, options?: { signal?: AbortSignal }): Promise<Offset>
  /** Appends; resolves when there is room for more. A refusal is told by `flush` and the next call. */
  write(data: T): Promise<void>
  /** Sends what is there; resolves when all of it is acknowledged. */
  flush(): Promise<Offset>
  /** Closes the stream, behind everything that was appended and this last record. */
  close(...last: [last?: T]): Promise<Offset>
  /** Ends the stream as not complete, for a reason that a program can read and one for people. */
  fail(code: string, message?: string, ...last: [last?: T]): Promise<Offset>
  /** Values are appended as there is room; closing it closes the stream, aborting it fails the stream. */
  writable(): WritableStream<T>
  /** Waits for what is under way, then lets go; the stream stays open. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What a producer needs of its stream. */
export interface Sink {
  door: Door
  retry: Retry
  environment: Environment
  signal?: AbortSignal
}

/** What of a producer is loaded late; see `promised`. */
export type Loaded<T> = Omit<Producer<T>, "writable">

/** A record that waits for its acknowledgement, or the end of the stream, which has no bytes. */
interface Entry {
  bytes?: Uint8Array
  resolve(offset: Offset): void
  reject(error: HeadwaterError): void
  /** The caller's signal matters no more. */
  ignore?: () => void
}

/** How a stream is ended. */
type Close = Pick<Write, "close" | "fail">

interface Batch {
  entries: Entry[]
  size: number
  seq: number
  close?: Close
  /** What is under way, from the moment it is frozen until it is settled or taken back. */
  write?: Write | undefined
  /** Whether it was sent without an answer. */
  lost?: boolean
  /** How often it was answered by something that is no stream's server. */
  bad: number
}

const ENDS = /^(producer-fenced|stream-closed|stream-gone)$/

const recordsOf = ({ entries }: Batch): Uint8Array[] => entries.flatMap(({ bytes }) => bytes ?? [])

/** Makes a record's bytes, as a body of the type has them. */
export type Encode = (data: unknown, type: string) => Promise<Uint8Array>

/** `typeOf`: the content type, asked for if it is not known. */
export function producerOf<T>(
  { door, retry, environment, signal }: Sink,
  writes: Writes,
  typeOf: () => Promise<string>,
  encode: Encode,
  options: ProducerOptions & { id: string },
): Loaded<T> {
  const { id, linger = 5, batchBytes = 1 << 20, bufferBytes = 8 << 20, claim, create, idempotent = true } = options
  const inFlight = idempotent ? (options.inFlight ?? 5) : 1
  let { epoch = 0 } = options
  if (!id || !(epoch >= 0 && batchBytes > 0 && inFlight > 0)) {
    throw new HeadwaterError("bad-request", "a producer has a name, an epoch from 0 on, and limits above 0")
  }
  const backoff = backoffOf(retry, environment)
  const stop = new AbortController()
  let seq = 0
  let type: string
  let open: Batch | undefined
  let queued: Batch[] = []
  /** In the order of their numbers. */
  let flying: Batch[] = []
  let disarm: (() => void) | undefined
  /** Bytes that are not acknowledged. */
  let size = 0
  let last: Offset = ""
  let failure: HeadwaterError | undefined
  let closing: Promise<Offset> | undefined
  let order: Promise<unknown> = Promise.resolve()
  /** A refusal ended the epoch: the next one begins when nothing of it is under way. */
  let renewing = false
  let made = false
  /** Something was lost, and nothing was answered since: one at a time asks whether the server is back. */
  let probing = false
  /** Until when a cut is waited for. */
  let waits = -Infinity
  let waiting: (() => void)[] = []
  let ignoreSignal: (() => void) | undefined

  /** Waits for something, which is looked at whenever a batch is settled. */
  const until = async (is: () => unknown): Promise<void> => {
    while (!is()) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const changed = (): void => {
    for (const look of waiting.splice(0)) look()
  }
  const hasRoom = (): Promise<void> =>
    until(() => {
      const room = size < bufferBytes || failure
      if (!room) freeze()
      return room
    })

  // Batches

  const add = async (data: T, resolve: Entry["resolve"], reject: Entry["reject"], own: AbortSignal | undefined): Promise<void> => {
    type ??= await typeOf()
    const bytes = await encode(data, type)
    await hasRoom()
    if (failure) throw failure
    const entry: Entry = { bytes, resolve, reject }
    put(entry)
    entry.ignore = onAbort(own, (why) => {
      const index = open?.entries.indexOf(entry) ?? -1
      if (open && index >= 0) {
        open.entries.splice(index, 1)
        open.size -= bytes.length
        size -= bytes.length
        reject(why)
        // What is frozen is sent all the same: another one cannot take its number.
      } else reject(stopped("signal aborted; the record may arrive", own?.reason))
    })
  }

  const put = (entry: Entry): Batch => {
    const { bytes } = entry
    const length = bytes?.length ?? 0
    // What waits for its turn takes more, so that who was cut off does not come back with many small ones.
    if (joins(type) && !queued.at(-1)?.close) open ??= queued.pop()
    if (open && bytes && (!joins(type) || open.size + length > batchBytes)) freeze()
    open ??= { entries: [], size: 0, seq: 0, bad: 0 }
    open.entries.push(entry)
    open.size += length
    size += length
    disarm ??= environment.timer(linger, freeze)
    return open
  }

  /** The open batch is full, or its time is over: it waits to be sent. */
  const freeze = (): void => {
    disarm?.()
    disarm = undefined
    if (open?.entries.length) queued.push(open)
    open = undefined
    send()
  }

  const finish = async (close: Close, value: T | undefined): Promise<Offset> => {
    await order
    if (failure) throw failure
    type ??= await typeOf()
    const ignore = (): void => undefined
    if (value !== undefined) put({ bytes: await encode(value, type), resolve: ignore, reject: ignore })
    return new Promise((resolve, reject) => {
      put({ resolve, reject }).close = close
      freeze()
    })
  }

  const end = (close: Close, value: T | undefined): Promise<Offset> => {
    closing ??= finish(close, value)
    // One that was refused has closed nothing.
    closing.catch(() => (closing = undefined))
    return closing
  }

  // Sending

  const send = (): void => {
    if (renewing && !flying.length) {
      renewing = false
      epoch += 1
      seq = 0
    }
    // The first of an epoch goes alone: a server refuses another one that overtakes it. So does a closing one: a closed
    // stream refuses what is sent again of those before, although it has it.
    const alone = (): unknown => flying.some((batch) => !batch.seq) || ((queued[0]?.close || probing) && flying.length)
    while (!renewing && queued.length && flying.length < inFlight && !alone()) {
      const batch = queued.shift() as Batch
      batch.seq = seq++
      batch.lost = false
      flying.push(batch)
      void deliver(batch)
    }
  }

  const deliver = async (batch: Batch): Promise<void> => {
    const records = recordsOf(batch)
    const write: Write = {
      body: records.length ? bodyOf(records, type) : undefined,
      type,
      producer: idempotent ? [id, epoch, batch.seq] : undefined,
      create: create ? {} : undefined,
      ...batch.close,
    }
    batch.write = write
    while (batch.write === write) {
      // Those before it that are not acknowledged yet, which it may overtake.
      const lowest = (flying[0] as Batch).seq
      // On a connection all that is under way is lost together, and asks for one socket.
      if (!door.live || batch.seq === lowest) backoff.begin()
      try {
        const { offset } = await writes.write(write, stop.signal)
        if (batch.write !== write) return
        backoff.progress()
        probing = false
        if (offset > last) last = offset
        settle(batch, offset)
        return
      } catch (error) {
        if (batch.write !== write || !(await again(batch, error as HeadwaterError, lowest))) return
      }
    }
  }

  /** Whether a batch that failed is sent again; it was waited for as long as that takes. */
  const again = async (batch: Batch, error: HeadwaterError, lowest: number): Promise<unknown> => {
    const { code, facts, message, retryable, retryAfter, status } = error
    if (retryable && !idempotent && status === undefined) return refused(batch, unknownOutcome(message, error))
    if (retryable && !(code === "bad-answer" && ++batch.bad >= BAD_ANSWERS)) {
      const now = environment.now()
      batch.lost = true
      // On a connection all of them ask for one socket.
      probing = !door.live
      // What a cut takes away together is one failure, and is waited for once.
      if (now >= waits) {
        const wait = backoff.end({ hint: retryAfter })
        if (wait === null) return abandon(unknownOutcome(message, error))
        waits = now + wait
      }
      await pause(environment, backoff, waits - now, stop.signal, undefined, retryAfter !== undefined)
      // It may have ended early.
      waits = Math.min(waits, environment.now())
      await until(() => !probing || !batch.write || batch === flying[0])
      return true
    }
    if (code === "producer-gap") return gap(batch, Number(facts.expected ?? facts.expected_seq), lowest)
    if (code === "producer-fenced" && claim) return renew(Number(facts.epoch ?? epoch) + 1)
    if (status === 404 && create && !made) {
      // A server of the protocol alone does not create with an append.
      made = true
      return writes.create({ "content-type": type }, undefined, stop.signal).then(
        () => true,
        (refusal) => again(batch, refusal as HeadwaterError, lowest),
      )
    }
    return refused(batch, error)
  }

  /** A number is missing before this one. `lowest`: of those that were under way when it was sent. */
  const gap = async (batch: Batch, expected: number, lowest: number): Promise<unknown> => {
    if (expected > batch.seq) return settle(batch, last)
    if (expected < lowest || lowest === batch.seq) return renew(epoch + 1)
    // It overtook those before it on another connection, which may have arrived by now.
    const before = flying.find((each) => each.seq < batch.seq)
    await until(() => !before || !flying.includes(before))
    return true
  }

  /** Under a new epoch, from 0: all that was never sent without an answer; the others' outcome is not known. */
  const renew = (to: number): void => {
    epoch = to
    seq = 0
    for (const batch of flying) if (batch.lost) fate(batch, forgotten())
    takeBack(flying.filter((batch) => batch.write))
    flying = []
    send()
    changed()
  }

  /** What was on its way waits again, for another number. */
  const takeBack = (batches: Batch[]): void => {
    for (const batch of batches) batch.write = undefined
    queued.unshift(...batches)
  }

  /** The server will never take it. */
  const refused = (batch: Batch, error: HeadwaterError): void => {
    if (ENDS.test(error.code)) return abandon(error)
    const behind = flying.filter((each) => each.seq > batch.seq)
    flying = flying.filter((each) => each.seq <= batch.seq)
    takeBack(behind)
    renewing = true
    settle(batch, error)
  }

  const settle = (batch: Batch, told: Offset | HeadwaterError): void => {
    flying = flying.filter((each) => each !== batch)
    fate(batch, told)
    send()
    changed()
  }

  /** Its fate is known: everybody who waits for it is told. */
  const fate = (batch: Batch, told: Offset | HeadwaterError): void => {
    batch.write = undefined
    size -= batch.size
    for (const { resolve, reject, ignore } of batch.entries) {
      ignore?.()
      if (typeof told === "string") resolve(told)
      else reject(told)
    }
  }

  /** Ends it: nothing more is sent, and everybody who waits is told. */
  const abandon = (error: HeadwaterError): void => {
    failure ??= error
    disarm?.()
    ignoreSignal?.()
    const all = [...flying, ...queued, ...(open ? [open] : [])]
    flying = []
    queued = []
    open = undefined
    stop.abort(error)
    for (const batch of all) fate(batch, error)
    changed()
  }

  const self: Loaded<T> = {
    id,
    get pending() {
      return [...flying, ...queued, ...(open ? [open] : [])].flatMap(recordsOf).length
    },
    append(data, { signal: own } = {}) {
      if (closing) return Promise.reject(new HeadwaterError("stream-closed", "this producer has closed the stream"))
      return new Promise((resolve, reject) => {
        // In the order of the calls, whatever each of them waits for.
        order = order.then(() => add(data, resolve, reject, own)).catch(reject)
      })
    },
    async write(data) {
      if (failure) throw failure
      self.append(data).catch((error: HeadwaterError) => (failure ??= error))
      await order
      await hasRoom()
    },
    async flush() {
      await order
      freeze()
      await until(() => !open && !queued.length && !flying.length)
      if (failure) throw failure
      return last
    },
    close: (value) => end({ close: true }, value),
    fail: (code, message, value) => end({ close: true, fail: { code, message } }, value),
    async [Symbol.asyncDispose]() {
      await self.flush().finally(() => abandon(stopped("the producer was disposed of")))
    },
  }
  ignoreSignal = onAbort(signal, abandon)
  return self
}
