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
import { HeadwaterError, stopped } from "./errors.ts"
import { BAD_ANSWERS, sleep } from "./patience.ts"
import { encodeText, formOf, joins } from "./records.ts"
import { Backoff, type Retry } from "./retry.ts"
import type { Door, Offset, Write } from "./transport.ts"

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

/** What a producer needs of its stream. */
export interface Sink<T> {
  door: Door
  retry: Retry
  environment: Environment
  signal: AbortSignal | undefined
  type(): Promise<string>
  encode(data: T, type: string): Uint8Array
}

interface Waiter {
  resolve(offset: Offset): void
  reject(error: HeadwaterError): void
}

interface Entry extends Waiter {
  bytes: Uint8Array
}

interface Batch {
  entries: Entry[]
  size: number
  /** Set when it is frozen. */
  write?: Write
  seq: number
  /** How often it was sent without an answer. */
  lost: number
  /** How often it was taken back: a delivery of an earlier turn is over. */
  turn: number
  /** How often it was answered by something that is no stream's server. */
  bad: number
  close?: { fail?: { code: string; message: string | undefined } }
  done?: Waiter
}

const OPEN = new Uint8Array([0x5b])
const COMMA = new Uint8Array([0x2c])
const SHUT = new Uint8Array([0x5d])

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** A body of these records: an array of JSON, else one behind the other. */
export function bodyOf(records: readonly Uint8Array[], type: string): Uint8Array {
  if (formOf(type) !== "json") return records.length === 1 ? (records[0] as Uint8Array) : joined(records)
  return joined([OPEN, ...records.flatMap((record, index) => (index ? [COMMA, record] : [record])), SHUT])
}

export class Producer<T> implements AsyncDisposable {
  readonly id: string
  #sink: Sink<T>
  #options: Required<Omit<ProducerOptions, "id" | "epoch">>
  #epoch: number
  #seq = 0
  #type: string | undefined
  #open: Batch | undefined
  #queued: Batch[] = []
  #flying: Batch[] = []
  #disarm: (() => void) | undefined
  #size = 0
  #room: (() => void)[] = []
  #idle: (() => void)[] = []
  #last: Offset = ""
  #failure: HeadwaterError | undefined
  #closing: Promise<Offset> | undefined
  #stop = new AbortController()
  #backoff: Backoff
  #order: Promise<unknown> = Promise.resolve()
  /** A refusal ended the epoch: the next one begins when nothing of it is under way. */
  #renewing = false
  #made = false
  #until = -Infinity
  #waiting = new Map<Batch, (() => void)[]>()

  constructor(sink: Sink<T>, options: ProducerOptions = {}) {
    const { id, epoch = 0, ...rest } = options
    if (id === "" || !(epoch >= 0) || !((rest.batchBytes ?? 1) > 0) || !((rest.inFlight ?? 1) > 0)) {
      throw new HeadwaterError("bad-request", "a producer has a name, an epoch from 0 on, and limits above 0")
    }
    this.#sink = sink
    this.#epoch = epoch
    this.id = id ?? name()
    this.#options = {
      linger: 5,
      batchBytes: 1 << 20,
      inFlight: 5,
      bufferBytes: 8 << 20,
      claim: false,
      create: false,
      idempotent: true,
      ...rest,
    }
    if (!this.#options.idempotent) this.#options.inFlight = 1
    this.#backoff = new Backoff(sink.retry, sink.environment.random)
    sink.signal?.addEventListener("abort", () => this.#abandon(stopped("the signal was aborted", sink.signal?.reason)), {
      once: true,
      signal: this.#stop.signal,
    })
  }

  /** Records that are not acknowledged yet. */
  get pending(): number {
    return [this.#open, ...this.#queued, ...this.#flying].reduce((sum, batch) => sum + (batch?.entries.length ?? 0), 0)
  }

  /** Appends; resolves when it is acknowledged, with the offset behind its batch. */
  append(data: T, options: { signal?: AbortSignal } = {}): Promise<Offset> {
    if (this.#closing) return Promise.reject(new HeadwaterError("stream-closed", "this producer has closed the stream"))
    return new Promise((resolve, reject) => {
      // In the order of the calls, whatever each of them waits for.
      this.#order = this.#order.then(() => this.#add(data, { resolve, reject }, options.signal)).catch(reject)
    })
  }

  /** Appends; resolves when there is room for more. A refusal is told by `flush` and the next call. */
  async write(data: T): Promise<void> {
    if (this.#failure) throw this.#failure
    this.append(data).catch((error: HeadwaterError) => (this.#failure ??= error))
    await this.#order
    await this.#hasRoom()
  }

  /** Sends what is there; resolves when all of it is acknowledged. */
  async flush(): Promise<Offset> {
    await this.#order
    this.#freeze()
    await new Promise<void>((resolve) => (this.#isIdle() ? resolve() : this.#idle.push(resolve)))
    if (this.#failure) throw this.#failure
    return this.#last
  }

  /** Closes the stream, behind everything that was appended and this last record. */
  close(...last: [last?: T]): Promise<Offset> {
    return this.#ends({}, last)
  }

  /** Ends the stream as not complete, for a reason that a program can read and one for people. */
  fail(code: string, message?: string, ...last: [last?: T]): Promise<Offset> {
    return this.#ends({ fail: { code, message } }, last)
  }

  /** Values are appended as there is room; closing it closes the stream, aborting it fails the stream. */
  writable(): WritableStream<T> {
    return new WritableStream<T>({
      write: (data) => this.write(data),
      close: async () => void (await this.close()),
      abort: async (reason) => void (await this.fail("aborted", reason === undefined ? undefined : String(reason))),
    })
  }

  /** Waits for what is under way, then lets go; the stream stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.flush()
    } finally {
      this.#abandon(stopped("the producer was disposed of"))
    }
  }

  // Batches

  async #add(data: T, waiter: Waiter, signal: AbortSignal | undefined): Promise<void> {
    this.#type ??= await this.#sink.type()
    const bytes = this.#sink.encode(data, this.#type)
    await this.#hasRoom()
    if (this.#failure) throw this.#failure
    if (signal?.aborted) throw stopped("the signal was aborted", signal.reason)
    const withdraw = (): void => this.#withdraw(entry, signal?.reason)
    const settled = (): void => signal?.removeEventListener("abort", withdraw)
    const entry: Entry = {
      bytes,
      resolve: (offset) => (settled(), waiter.resolve(offset)),
      reject: (error) => (settled(), waiter.reject(error)),
    }
    signal?.addEventListener("abort", withdraw)
    this.#put(entry)
  }

  #put(entry: Entry): void {
    const alone = this.#type !== undefined && !joins(this.#type)
    if (this.#open && (alone || this.#open.size + entry.bytes.length > this.#options.batchBytes)) this.#freeze()
    this.#open ??= { entries: [], size: 0, seq: -1, lost: 0, turn: 0, bad: 0 }
    this.#open.entries.push(entry)
    this.#open.size += entry.bytes.length
    this.#size += entry.bytes.length
    this.#disarm ??= this.#sink.environment.timer(this.#options.linger, () => this.#freeze())
  }

  #withdraw(entry: Entry, reason: unknown): void {
    const index = this.#open?.entries.indexOf(entry) ?? -1
    if (this.#open && index >= 0) {
      this.#open.entries.splice(index, 1)
      this.#open.size -= entry.bytes.length
      this.#size -= entry.bytes.length
    }
    // What is frozen is sent all the same: another one cannot take its number.
    entry.reject(stopped(index >= 0 ? "the signal was aborted" : "the signal was aborted; the record may arrive", reason))
  }

  /** The open batch is full, or its time is over: it waits to be sent. */
  #freeze(): void {
    this.#disarm?.()
    this.#disarm = undefined
    if (this.#open?.entries.length || this.#open?.close) this.#queued.push(this.#open)
    this.#open = undefined
    this.#send()
  }

  #ends(close: NonNullable<Batch["close"]>, last: [last?: T]): Promise<Offset> {
    if (this.#closing) return this.#closing
    const closing = this.#finish(close, last)
    // One that was refused has closed nothing.
    closing.catch(() => (this.#closing = undefined))
    return (this.#closing = closing)
  }

  async #finish(close: NonNullable<Batch["close"]>, last: [last?: T]): Promise<Offset> {
    await this.#order
    if (this.#failure) throw this.#failure
    this.#type ??= await this.#sink.type()
    if (last.length && last[0] !== undefined) {
      const bytes = this.#sink.encode(last[0], this.#type)
      if (!joins(this.#type)) this.#freeze()
      this.#put({ bytes, resolve: () => undefined, reject: () => undefined })
    }
    this.#open ??= { entries: [], size: 0, seq: -1, lost: 0, turn: 0, bad: 0 }
    this.#open.close = close
    const done = new Promise<Offset>((resolve, reject) => {
      ;(this.#open as Batch).done = { resolve, reject }
    })
    this.#freeze()
    return done
  }

  // Sending

  #send(): void {
    if (this.#renewing) {
      if (this.#flying.length) return
      this.#renewing = false
      this.#epoch += 1
      this.#seq = 0
    }
    while (this.#queued.length && this.#flying.length < this.#options.inFlight && !this.#stop.signal.aborted) {
      // The first of an epoch goes alone: a server refuses another one that overtakes it. So does a closing one: a closed
      // stream refuses what is sent again of those before, although it has it.
      if (this.#flying.some(({ seq }) => seq === 0) || (this.#queued[0]?.close && this.#flying.length)) return
      const batch = this.#queued.shift() as Batch
      batch.seq = this.#seq++
      this.#flying.push(batch)
      void this.#deliver(batch, batch.turn)
    }
  }

  #frozen(batch: Batch): Write {
    const { create, idempotent } = this.#options
    const type = this.#type as string
    const write: Write = {
      body: batch.entries.length ? bodyOf(batch.entries.map((entry) => entry.bytes), type) : undefined,
      type,
      producer: idempotent ? [this.id, this.#epoch, batch.seq] : undefined,
      ...(create ? { create: {} } : {}),
    }
    if (batch.close) {
      write.close = true
      if (batch.close.fail) write.fail = batch.close.fail
    }
    return write
  }

  async #deliver(batch: Batch, turn: number): Promise<void> {
    const { environment, door } = this.#sink
    while (!this.#stop.signal.aborted && batch.turn === turn) {
      batch.write ??= this.#frozen(batch)
      this.#backoff.begin(environment.now())
      try {
        const { offset } = await door.write(batch.write, this.#stop.signal)
        if (batch.turn !== turn) return
        this.#backoff.progress(environment.now())
        this.#backoff.count = 0
        return this.#acknowledge(batch, offset)
      } catch (error) {
        if (batch.turn !== turn || !(await this.#again(batch, error as HeadwaterError))) return
      }
    }
  }

  /** Whether a batch that failed is sent again; it was waited for as long as that takes. */
  async #again(batch: Batch, error: HeadwaterError): Promise<boolean> {
    if (this.#stop.signal.aborted) return false
    const { environment } = this.#sink
    if (error.retryable && !this.#options.idempotent && error.status === undefined) {
      const told = new HeadwaterError("unknown-outcome", `the answer was lost: ${error.message}`, { cause: error })
      return this.#refused(batch, told)
    }
    if (error.retryable) {
      if (error.code === "bad-answer" && (batch.bad += 1) >= BAD_ANSWERS) return this.#refused(batch, error)
      batch.lost += 1
      const now = environment.now()
      // What a cut takes away together is one failure, and is waited for once.
      if (now >= this.#until) {
        const wait = this.#backoff.end({ up: 0, heard: false, hint: error.retryAfter }, now)
        if (wait === null) return this.#giveUp(error)
        this.#until = now + wait
      }
      await sleep(environment, this.#until - now, this.#stop.signal).catch(() => undefined)
      return true
    }
    if (error.code === "producer-gap") return this.#gap(batch, Number(error.facts.expected ?? error.facts.expected_seq))
    if (error.code === "producer-fenced" && this.#options.claim) {
      this.#renew(Number(error.facts.epoch ?? this.#epoch) + 1)
      return false
    }
    if (error.status === 404 && this.#options.create && !this.#made) return this.#make(batch)
    return this.#refused(batch, error)
  }

  /** A server of the protocol alone does not create with an append. */
  async #make(batch: Batch): Promise<boolean> {
    this.#made = true
    try {
      await this.#sink.door.create({ "content-type": this.#type as string }, undefined, this.#stop.signal)
      return true
    } catch (error) {
      return this.#again(batch, error as HeadwaterError)
    }
  }

  /** A number is missing before this one. */
  async #gap(batch: Batch, expected: number): Promise<boolean> {
    if (expected > batch.seq) {
      this.#acknowledge(batch, this.#last)
      return false
    }
    const before = this.#flying.find((each) => each !== batch && each.seq < batch.seq)
    if (before && expected >= before.seq) {
      // It overtook those before it on another connection.
      await new Promise<void>((resolve) => this.#settled(before, resolve))
      return true
    }
    this.#renew(this.#epoch + 1)
    return false
  }

  #settled(batch: Batch, call: () => void): void {
    this.#waiting.set(batch, [...(this.#waiting.get(batch) ?? []), call])
  }

  /** Under a new epoch, from 0: all that was never sent without an answer; the others' outcome is not known. */
  #renew(epoch: number): void {
    this.#epoch = epoch
    this.#seq = 0
    const flying = this.#flying.splice(0)
    for (const batch of flying) {
      if (!batch.lost) continue
      batch.turn += 1
      this.#release(batch)
      const error = new HeadwaterError("unknown-outcome", "the server forgot this producer before it answered")
      this.#reject(batch, error)
    }
    this.#takeBack(flying.filter((batch) => !batch.lost))
    this.#send()
  }

  /** What was on its way waits again, for another number. */
  #takeBack(batches: Batch[]): void {
    for (const batch of batches) {
      delete batch.write
      batch.turn += 1
      batch.lost = 0
      this.#release(batch)
    }
    this.#queued.unshift(...batches)
  }

  #release(batch: Batch): void {
    const waiting = this.#waiting.get(batch) ?? []
    this.#waiting.delete(batch)
    for (const call of waiting) call()
  }

  #acknowledge(batch: Batch, offset: Offset): void {
    if (!this.#remove(batch)) return
    if (offset > this.#last) this.#last = offset
    for (const entry of batch.entries) entry.resolve(offset)
    batch.done?.resolve(offset)
    this.#free(batch)
  }

  /** The server will never take it. */
  #refused(batch: Batch, error: HeadwaterError): boolean {
    if (!this.#remove(batch)) return false
    this.#reject(batch, error)
    const behind = this.#flying.filter((each) => each.seq > batch.seq)
    const ends = error.code === "producer-fenced" || error.code === "stream-closed" || error.code === "stream-gone"
    if (ends) {
      this.#abandon(error)
      return false
    }
    // Behind those before it, which may still be under way.
    this.#flying = this.#flying.filter((each) => each.seq < batch.seq)
    this.#renewing = true
    this.#takeBack(behind)
    this.#free(batch)
    return false
  }

  #giveUp(error: HeadwaterError): boolean {
    const told = new HeadwaterError("unknown-outcome", `given up without an answer: ${error.message}`, { cause: error })
    this.#abandon(told)
    return false
  }

  #reject(batch: Batch, error: HeadwaterError): void {
    this.#size -= batch.size
    batch.size = 0
    for (const entry of batch.entries) entry.reject(error)
    batch.done?.reject(error)
  }

  #remove(batch: Batch): boolean {
    const index = this.#flying.indexOf(batch)
    if (index >= 0) this.#flying.splice(index, 1)
    return index >= 0
  }

  #free(batch: Batch): void {
    this.#size -= batch.size
    this.#release(batch)
    this.#send()
    if (this.#size < this.#options.bufferBytes) for (const call of this.#room.splice(0)) call()
    if (this.#isIdle()) for (const call of this.#idle.splice(0)) call()
  }

  /** Ends it: nothing more is sent, and everybody who waits is told. */
  #abandon(error: HeadwaterError): void {
    this.#failure ??= error
    this.#disarm?.()
    const all = [...this.#flying.splice(0), ...this.#queued.splice(0), ...(this.#open ? [this.#open] : [])]
    this.#open = undefined
    this.#stop.abort(error)
    for (const batch of all) {
      this.#reject(batch, error)
      this.#release(batch)
    }
    for (const call of [...this.#room.splice(0), ...this.#idle.splice(0)]) call()
  }

  #isIdle(): boolean {
    return !this.#open && !this.#queued.length && !this.#flying.length
  }

  async #hasRoom(): Promise<void> {
    while (this.#size >= this.#options.bufferBytes && !this.#failure) {
      this.#freeze()
      await new Promise<void>((resolve) => this.#room.push(resolve))
    }
  }
}

/** Enough chance that no two are alike; `randomUUID` is not there on pages without TLS. */
export function name(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, "0")).join("")
}

/** A value as a record's bytes. */
export function plainEncode(data: unknown, type: string): Uint8Array {
  if (formOf(type) === "json") {
    const text = JSON.stringify(data)
    if (text === undefined) throw new HeadwaterError("bad-record", `JSON has no ${typeof data}`)
    return encodeText(text)
  }
  if (typeof data === "string") return encodeText(data)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  throw new HeadwaterError("bad-record", `a record of ${type} is a string or bytes, not ${typeof data}`)
}
