/**
 * Appends that survive a reload: `import { outbox } from "headwater/outbox"`.
 *
 * Rule 1: a record is kept before it is sent, and dropped when its fate is told.
 * Rule 2: of all objects over one database, in all tabs, one sends; when it ends, the next one goes on where it was.
 * Rule 3: the user is in the database's name: another one cannot see what is kept, nor send it.
 */

import { type Environment, platform } from "./environment.ts"
import { HeadwaterError, errorAgain, plainError, stopped } from "./errors.ts"
import { indexedDb } from "./outbox/indexeddb.ts"
import { type Lane, type Seat, laneOf } from "./outbox/lane.ts"
import type { FateState, Note, OutboxStore, StoreFactory } from "./outbox/store.ts"
import { name as chance } from "./chance.ts"
import { plainEncode } from "./bodies.ts"
import { JSON_TYPE, decodeText, formOf, valueOf } from "./records.ts"
import { absolute } from "./request.ts"
import { onAbort } from "./signals.ts"
import { type Stream, stream } from "./stream.ts"
import type { Offset } from "./transport.ts"

export interface OutboxOptions {
  /** Whose records they are: a name that no two users share, and that is the same after a reload. */
  user: string
  /** Where they are kept; IndexedDB. */
  store?: StoreFactory
  /** Bytes that are kept at most; 8 MiB. */
  most?: number
  /** Milliseconds after which a record that was not sent expires; six days. A server forgets a producer after seven. */
  expires?: number
  /** How a stream of an earlier life is reached, by its URL, such as with headers or on a connection; `stream(url)`. */
  stream?: (url: string) => Stream<never>
  /** In place of the platform's clock and events; for tests. */
  environment?: Environment
}

/** What became of a record. */
export interface Fate {
  state: FateState
  /** The record's number in this outbox. */
  key: number
  /** Its stream. */
  url: string
  data: unknown
  /** Where the stream was behind its batch; of `acknowledged`. */
  offset: Offset | undefined
  /** Why; of `refused`, `expired` and `unknown`. */
  error: HeadwaterError | undefined
}

interface Waiter {
  resolve(offset: Offset): void
  reject(error: HeadwaterError): void
}

const DAY = 86_400_000
const CLEARED = "the outbox was cleared"

export interface Outbox extends AsyncDisposable {
  /**
   * Keeps a record and sends it; resolves when it is acknowledged, with the offset behind its batch. `queued`: when it is kept, with "".
   * A stream that is not of JSON says its `type`: nobody may be there to be asked.
   */
  append<T>(to: Stream<T>, data: T, options?: { queued?: boolean }): Promise<Offset>
  /** Calls for what becomes of each record, in all tabs; gives what ends that. After a crash a fate may be told again. */
  on(listener: (fate: Fate) => void): () => void
  /** Asks the platform to keep what is kept, and tells whether it says so. */
  durable(): Promise<boolean>
  /** The user leaves: nothing of theirs stays behind, in any tab. What is under way may still arrive. */
  clear(): Promise<void>
  /** Ends it; what is kept is sent by the next one. */
  close(): Promise<void>
}

/** An outbox of this name and user; what an earlier one has left is sent. */
export function outbox(name: string, options: OutboxOptions): Outbox {
  const { user, store: factory = indexedDb, most = 8 << 20, expires = 6 * DAY, stream: open = stream, environment = platform } = options
  if (!name || !user || !(most > 0) || !(expires > 0 && expires < 7 * DAY)) {
    throw new HeadwaterError("bad-request", "an outbox has a name, a user and room, and expires within 7 days")
  }
  const [box, owner] = [name, user].map(encodeURIComponent)
  const stop = new AbortController()
  const { signal } = stop
  const listeners = new Set<(fate: Fate) => void>()
  const waiters = new Map<number, Waiter>()
  const streams = new Map<string, Stream<never>>()
  let order: Promise<unknown> = Promise.resolve()
  let scan = (): void => undefined

  const end = (why: string): void => {
    const error = stopped(why)
    stop.abort(error)
    for (const { reject } of waiters.values()) reject(error)
    waiters.clear()
  }

  const hear = (note: Note): void => {
    if (note.state === "cleared") return end(CLEARED)
    const { state, key, offset } = note
    const error = note.error && errorAgain(note.error)
    if (state !== "stored" && state !== "sent") {
      const waiter = waiters.get(key)
      waiters.delete(key)
      if (error) waiter?.reject(error)
      else waiter?.resolve(offset ?? "")
    }
    for (const listener of listeners) listener({ ...note, error })
    if (state === "stored") scan()
  }

  const telling =
    (store: OutboxStore): Seat["tell"] =>
    (state, { key, url, type, body }, { offset, error } = {}) => {
      const note = { state, key, url, data: valueOf(formOf(type) === "bytes" ? body : decodeText(body), formOf(type)), offset, error: error && plainError(error) }
      store.tell(note)
      hear(note)
    }

  /** This one's turn: it sends what is kept, until it ends. */
  const send = async (store: OutboxStore): Promise<void> => {
    const lanes = new Map<string, Lane>()
    const seat: Seat = {
      id: await store.identify(`${box}-${chance()}`),
      store,
      environment,
      signal,
      expires,
      sink: (url) => (streams.get(url) ?? open(url)).sink(),
      tell: telling(store),
    }
    let seen = 0
    let scanning = Promise.resolve()
    const look = async (): Promise<void> => {
      for (const record of await store.since(seen)) {
        seen = record.key
        const lane = lanes.get(record.url) ?? laneOf(seat, record.url)
        lanes.set(record.url, lane)
        lane.push(record)
      }
    }
    scan = () => void (scanning = scanning.then(look).catch(() => undefined))
    scan()
    await new Promise<unknown>((resolve) => onAbort(signal, resolve))
    await scanning
    for (const lane of lanes.values()) await lane.idle()
  }

  const opened = factory(`headwater/1/${box}/${owner}`, hear)
  // Who appends is told that there is no store; at the end nobody waits for a turn.
  const lead = opened.then((store) => store.turn(signal, () => send(store))).catch(() => undefined)

  const close = async (): Promise<void> => {
    end("the outbox was closed; the record is kept")
    await lead
    await order
    await opened.then((store) => store.close()).catch(() => undefined)
  }

  return {
    append(to, data, { queued } = {}) {
      const promise = new Promise<Offset>((resolve, reject) => {
        const url = absolute(to.url).href
        const type = to.type ?? JSON_TYPE
        const record = { url, type, body: plainEncode(data, type), at: environment.now() }
        // In the order of the calls.
        order = order.then(async () => {
          const store = await opened
          signal.throwIfAborted()
          const key = await store.add(record, most)
          signal.throwIfAborted()
          streams.set(url, to as unknown as Stream<never>)
          if (queued) resolve("")
          else waiters.set(key, { resolve, reject })
          // From here on its fate is told by an event; who does not look at the promise is not to end by it.
          promise.catch(() => undefined)
          telling(store)("stored", { ...record, key })
        }).catch(reject)
      })
      return promise
    },
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    durable: async () => (await opened).durable(),
    async clear() {
      end(CLEARED)
      const store = await opened
      store.tell({ state: "cleared" })
      await store.clear()
      await close()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

export { indexedDb } from "./outbox/indexeddb.ts"
export { type Held, memory } from "./outbox/memory.ts"
export type { FateState, Kept, Note, Numbers, OutboxStore, Step, StoreFactory } from "./outbox/store.ts"
