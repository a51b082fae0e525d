/**
 * What waits for one stream, and how it is sent: one batch at a time, in order.
 *
 * Rule 1: a batch is frozen, and that is written down, before it is first sent; it is sent again byte for byte, under the same
 *         numbers, also after a reload.
 * Rule 2: what a server that forgot the producer never answered has an unknown outcome; the rest goes out under a new epoch.
 * Rule 3: a refusal ends the epoch: its number was not used, and a request that is still on its way must not be taken for another one.
 * Rule 4: only what a stream's server refuses is refused. A login page, a lost network and 401 pass, or the record expires.
 * Rule 5: a fate is told before its record is dropped: after a crash, and while the store fails, it is told again; never not at all.
 * Rule 6: who finds that another one has written numbers meanwhile sends no more: where there are no Web Locks, two may send.
 */

import type { Environment } from "../environment.ts"
import { HeadwaterError } from "../errors.ts"
import { sleep } from "../patience.ts"
import type { Sink } from "../producer.ts"
import { bodyOf, joins } from "../records.ts"
import { type Backoff, backoffOf, retryOf } from "../retry.ts"
import type { Offset, Written } from "../transport.ts"
import type { FateState, Kept, Numbers, OutboxStore } from "./store.ts"

const BATCH_BYTES = 1 << 20

export interface Details {
  offset?: Offset
  error?: HeadwaterError
}

/** What a lane needs of its outbox. */
export interface Seat {
  id: string
  store: OutboxStore
  environment: Environment
  signal: AbortSignal
  expires: number
  sink(url: string): Sink
  tell(state: FateState, record: Kept, details?: Details): void
}

const unknown = (why: string): Details => ({ error: new HeadwaterError("unknown-outcome", why) })

export class Lane {
  #seat: Seat
  #url: string
  #queue: Kept[] = []
  /** The numbers of the next batch, and those that are written down. */
  #next: Numbers = [0, 0]
  #written: Numbers | undefined
  /** Whether the batch at the head may have been sent without an answer. One of an earlier life may. */
  #lost = true
  #backoff: Backoff
  #running: Promise<void> | undefined
  #hint: number | undefined
  #waking = new AbortController()

  constructor(seat: Seat, url: string) {
    this.#seat = seat
    this.#url = url
    this.#backoff = backoffOf(retryOf(undefined), seat.environment.random)
  }

  push(record: Kept): void {
    this.#queue.push(record)
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Something is better than before: the wait ends, unless the server asked for it. */
  wake(): void {
    if (this.#hint !== undefined) return
    this.#backoff.count = 0
    this.#waking.abort()
  }

  async #run(): Promise<void> {
    const { store, signal } = this.#seat
    while (this.#queue.length && !signal.aborted) {
      try {
        if (!this.#written) this.#next = this.#written = await store.next(this.#url)
        if (await this.#step()) continue
      } catch (error) {
        // It was cleared, or another one sends; else the store fails, and may not for long.
        if ((error as HeadwaterError).code === "stopped") return
      }
      await this.#pause()
    }
  }

  /** Settles what is at the head; false: it is tried again after a while. */
  async #step(): Promise<boolean> {
    const { environment, expires, signal, id, sink } = this.#seat
    const head = this.#queue[0] as Kept
    const frozen = head.batch
    // Of one stream, no two batches are frozen.
    let batch = frozen ? this.#queue.filter((each) => each.batch) : [head]
    if (head.at + expires <= environment.now()) {
      const next = frozen && ([frozen[0] + 1, 0] as const)
      if (frozen && this.#lost) return this.#settle(batch, "unknown", unknown("it expired before an answer came"), next)
      return this.#settle(batch, "expired", { error: new HeadwaterError("outbox-expired", `not sent within ${expires} ms`) }, next)
    }
    if (!frozen) batch = await this.#freeze()
    const [{ type, batch: numbers }] = batch as [Kept]
    const body = bodyOf(batch.map((record) => record.body), type)
    this.#hint = undefined
    this.#backoff.begin(environment.now())
    let written: Written
    try {
      written = await sink(this.#url).door.write({ body, type, producer: [id, ...(numbers as Numbers)] }, signal)
    } catch (error) {
      return !signal.aborted && this.#failed(batch, numbers as Numbers, error as HeadwaterError)
    }
    this.#backoff.progress(environment.now())
    return this.#settle(batch, "acknowledged", written)
  }

  async #failed(batch: Kept[], [epoch, seq]: Numbers, error: HeadwaterError): Promise<boolean> {
    const { code, facts, status, retryable, retryAfter } = error
    const gap = code === "producer-gap"
    if (gap && Number(facts.expected ?? facts.expected_seq) > seq) return this.#settle(batch, "acknowledged")
    if (gap || code === "producer-fenced") {
      const next: Numbers = [Math.max(epoch, gap ? 0 : Number(facts.epoch ?? 0)) + 1, 0]
      if (this.#lost) return this.#settle(batch, "unknown", unknown("the server forgot this producer"), next)
      // Frozen anew, which is written down before it is sent.
      this.#next = next
      this.#queue = this.#queue.map(({ batch: _, ...record }) => record)
      return false
    }
    if (status !== undefined && !retryable && status !== 401) return this.#settle(batch, "refused", { error }, [epoch + 1, 0])
    this.#lost ||= status !== 401
    this.#hint = retryAfter
    return false
  }

  /** Those at the head that go together. */
  async #freeze(): Promise<Kept[]> {
    const [epoch, seq] = this.#next
    const [{ type }] = this.#queue as [Kept]
    let size = 0
    let count = 0
    for (const each of this.#queue) {
      size += each.body.length
      if (count && (each.type !== type || !joins(type) || size > BATCH_BYTES)) break
      count += 1
    }
    const batch = this.#queue.slice(0, count).map((record) => ({ ...record, batch: this.#next }))
    await this.#write({ put: batch }, [epoch, seq + 1])
    this.#queue.splice(0, count, ...batch)
    this.#lost = false
    for (const record of batch) this.#seat.tell("sent", record)
    return batch
  }

  async #settle(batch: Kept[], state: FateState, details: Details = {}, next: Numbers = this.#next): Promise<boolean> {
    for (const record of batch) this.#seat.tell(state, record, details)
    await this.#write({ drop: batch }, next)
    this.#queue.splice(0, batch.length)
    return true
  }

  async #write(change: { put: Kept[] } | { drop: Kept[] }, next: Numbers): Promise<void> {
    const { store, id } = this.#seat
    await store.change({ id, url: this.#url, last: this.#written as Numbers, next, ...change })
    this.#next = this.#written = next
  }

  /** Until the next attempt, or until the head's time is over. */
  async #pause(): Promise<void> {
    const { environment, signal, expires } = this.#seat
    const now = environment.now()
    const wait = this.#backoff.end({ up: 0, heard: false, hint: this.#hint }, now) as number
    const left = (this.#queue[0] as Kept).at + expires - now
    this.#waking = new AbortController()
    const nap = (ms: number, until: AbortSignal): Promise<void> => sleep(environment, ms, until).catch(() => undefined)
    await nap(left > 0 ? Math.min(wait, left) : wait, AbortSignal.any([signal, this.#waking.signal]))
    if (this.#waking.signal.aborted) await nap(this.#backoff.held(environment.now()), signal)
  }
}
