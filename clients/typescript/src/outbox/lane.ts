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
import { HeadwaterError, forgotten, unknownOutcome } from "../errors.ts"
import { pause } from "../patience.ts"
import type { Sink } from "../producer.ts"
import { bodyOf, joins } from "../bodies.ts"
import { backoffOf, retryOf } from "../retry.ts"
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

export interface Lane {
  push(record: Kept): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function laneOf({ id, store, environment, signal, expires, sink, tell }: Seat, url: string): Lane {
  const backoff = backoffOf(retryOf(undefined), environment)
  let queue: Kept[] = []
  /** The numbers of the next batch, and those that are written down. */
  let numbers: Numbers = [0, 0]
  let written: Numbers | undefined
  /** Whether the batch at the head may have been sent without an answer. One of an earlier life may. */
  let lost = true
  let running: Promise<void> | undefined
  let hint: number | undefined

  const run = async (): Promise<void> => {
    while (queue.length && !signal.aborted) {
      try {
        if (!written) numbers = written = await store.next(url)
        if (await step()) continue
      } catch (error) {
        // It was cleared, or another one sends; else the store fails, and may not for long.
        if ((error as HeadwaterError).code === "stopped") return
      }
      await wait()
    }
  }

  /** Settles what is at the head; false: it is tried again after a while. */
  const step = async (): Promise<boolean> => {
    const head = queue[0] as Kept
    const frozen = head.batch
    // Of one stream, no two batches are frozen.
    let batch = frozen ? queue.filter((each) => each.batch) : [head]
    if (head.at + expires <= environment.now()) {
      const next = frozen && ([frozen[0] + 1, 0] as const)
      if (frozen && lost) return settle(batch, "unknown", { error: unknownOutcome("it has expired") }, next)
      return settle(batch, "expired", { error: new HeadwaterError("outbox-expired", `not sent within ${expires} ms`) }, next)
    }
    if (!frozen) batch = await freeze()
    const { type, batch: its = numbers } = batch[0] as Kept
    const body = bodyOf(batch.map((record) => record.body), type)
    hint = undefined
    backoff.begin()
    let answer: Written
    try {
      answer = await (await sink(url).door.writes()).write({ body, type, producer: [id, ...its] }, signal)
    } catch (error) {
      return !signal.aborted && failed(batch, its, error as HeadwaterError)
    }
    backoff.progress()
    return settle(batch, "acknowledged", answer)
  }

  const failed = async (batch: Kept[], [epoch, seq]: Numbers, error: HeadwaterError): Promise<boolean> => {
    const { code, facts, status, retryable, retryAfter } = error
    const gap = code === "producer-gap"
    if (gap && Number(facts.expected ?? facts.expected_seq) > seq) return settle(batch, "acknowledged")
    if (gap || code === "producer-fenced") {
      const next: Numbers = [Math.max(epoch, gap ? 0 : Number(facts.epoch ?? 0)) + 1, 0]
      if (lost) return settle(batch, "unknown", { error: forgotten() }, next)
      // Frozen anew, which is written down before it is sent.
      numbers = next
      queue = queue.map(({ batch: _, ...record }) => record)
      return false
    }
    if (status !== undefined && !retryable && status !== 401) return settle(batch, "refused", { error }, [epoch + 1, 0])
    lost ||= status !== 401
    hint = retryAfter
    return false
  }

  /** Those at the head that go together. */
  const freeze = async (): Promise<Kept[]> => {
    const [epoch, seq] = numbers
    const { type } = queue[0] as Kept
    let size = 0
    let count = 0
    for (const each of queue) {
      size += each.body.length
      if (count && (each.type !== type || !joins(type) || size > BATCH_BYTES)) break
      count += 1
    }
    const batch = queue.slice(0, count).map((record) => ({ ...record, batch: numbers }))
    await write({ put: batch }, [epoch, seq + 1])
    queue.splice(0, count, ...batch)
    lost = false
    for (const record of batch) tell("sent", record)
    return batch
  }

  const settle = async (batch: Kept[], state: FateState, details: Details = {}, next: Numbers = numbers): Promise<boolean> => {
    for (const record of batch) tell(state, record, details)
    await write({ drop: batch }, next)
    queue.splice(0, batch.length)
    return true
  }

  const write = async (change: { put: Kept[] } | { drop: Kept[] }, next: Numbers): Promise<void> => {
    await store.change({ id, url, last: written as Numbers, next, ...change })
    numbers = written = next
  }

  /** Until the next attempt, or until the head's time is over. */
  const wait = async (): Promise<void> => {
    const ms = backoff.end({ hint }) as number
    const left = (queue[0] as Kept).at + expires - environment.now()
    // What the server asks to wait is waited for.
    await pause(environment, backoff, left > 0 ? Math.min(ms, left) : ms, signal, undefined, hint !== undefined)
  }

  return {
    push(record) {
      queue.push(record)
      running ??= run().finally(() => (running = undefined))
    },
    idle: async () => running,
  }
}
