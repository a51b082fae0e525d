/**
 * Appends that survive a reload: `import { outbox } from "headwater/outbox"`.
 *
 * Rule 1: a record is kept before it is sent, and dropped when its fate is told.
 * Rule 2: of all objects over one database, in all tabs, one sends; when it ends, the next one goes on where it was.
 * Rule 3: the user is in the database's name: another one cannot see what is kept, nor send it.
 */

import { type Environment, platform } from "./environment.ts"
import { HeadwaterError, stopped } from "./errors.ts"
import { indexedDb } from "./outbox/indexeddb.ts"
import { type Details, Lane, type Seat } from "./outbox/lane.ts"
import type { FateState, Kept, Note, OutboxStore, StoreFactory } from "./outbox/store.ts"
import { name as chance } from "./producer.ts"
import { formOf, plainEncode, valueOf } from "./records.ts"
import { absolute } from "./request.ts"
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

export class Outbox implements AsyncDisposable {
  #options: Required<OutboxOptions>
  #stop = new AbortController()
  #store: Promise<OutboxStore>
  #lead: Promise<void>
  #order: Promise<unknown> = Promise.resolve()
  #listeners = new Set<(fate: Fate) => void>()
  #waiters = new Map<number, Waiter>()
  #streams = new Map<string, Stream<never>>()
  #scan: () => void = () => undefined

  constructor(name: string, options: OutboxOptions) {
    this.#options = { store: indexedDb, most: 8 << 20, expires: 6 * DAY, stream, environment: platform, ...options }
    const { user, store, most, expires } = this.#options
    if (!name || !user || !(most > 0) || !(expires > 0 && expires < 7 * DAY)) {
      throw new HeadwaterError("bad-request", "an outbox has a name, a user and room, and expires within 7 days")
    }
    const [box, owner] = [name, user].map(encodeURIComponent)
    this.#store = store(`headwater/1/${box}/${owner}`, (note) => this.#hear(note))
    this.#lead = this.#store
      .then((opened) => opened.turn(this.#stop.signal, () => this.#send(opened, `${box}-${chance()}`)))
      // Who appends is told that there is no store; at the end nobody waits for a turn.
      .catch(() => undefined)
  }

  /**
   * Keeps a record and sends it; resolves when it is acknowledged, with the offset behind its batch. `queued`: when it is kept, with "".
   * A stream that is not of JSON says its `type`: nobody may be there to be asked.
   */
  append<T>(to: Stream<T>, data: T, options: { queued?: boolean } = {}): Promise<Offset> {
    const { signal } = this.#stop
    const promise = new Promise<Offset>((resolve, reject) => {
      const url = absolute(to.url).href
      const type = to.type ?? "application/json"
      const record = { url, type, body: plainEncode(data, type), at: this.#options.environment.now() }
      // In the order of the calls.
      this.#order = this.#order.then(async () => {
        const store = await this.#store
        signal.throwIfAborted()
        const key = await store.add(record, this.#options.most)
        signal.throwIfAborted()
        this.#streams.set(url, to as unknown as Stream<never>)
        if (options.queued) resolve("")
        else this.#waiters.set(key, { resolve, reject })
        // From here on its fate is told by an event; who does not look at the promise is not to end by it.
        promise.catch(() => undefined)
        this.#tell(store, "stored", { ...record, key })
      }).catch(reject)
    })
    return promise
  }

  /** Calls for what becomes of each record, in all tabs; gives what ends that. After a crash a fate may be told again. */
  on(listener: (fate: Fate) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Asks the platform to keep what is kept, and tells whether it says so. */
  async durable(): Promise<boolean> {
    return (await this.#store).durable()
  }

  /** The user leaves: nothing of theirs stays behind, in any tab. What is under way may still arrive. */
  async clear(): Promise<void> {
    this.#end("the outbox was cleared")
    const store = await this.#store
    store.tell({ state: "cleared" })
    await store.clear()
    await this.close()
  }

  /** Ends it; what is kept is sent by the next one. */
  async close(): Promise<void> {
    this.#end("the outbox was closed; the record is kept")
    await this.#lead
    await this.#order
    await this.#store.then((store) => store.close()).catch(() => undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #end(why: string): void {
    const error = stopped(why)
    this.#stop.abort(error)
    for (const { reject } of this.#waiters.values()) reject(error)
    this.#waiters.clear()
  }

  /** This one's turn: it sends what is kept, until it ends. */
  async #send(store: OutboxStore, id: string): Promise<void> {
    const { environment, expires, stream: open } = this.#options
    const { signal } = this.#stop
    const lanes = new Map<string, Lane>()
    const seat: Seat = {
      id: await store.identify(id),
      store,
      environment,
      signal,
      expires,
      sink: (url) => (this.#streams.get(url) ?? open(url)).sink(),
      tell: (...all) => this.#tell(store, ...all),
    }
    let seen = 0
    let scanning = Promise.resolve()
    const scan = async (): Promise<void> => {
      for (const record of await store.since(seen)) {
        seen = record.key
        let lane = lanes.get(record.url)
        if (!lane) lanes.set(record.url, (lane = new Lane(seat, record.url)))
        lane.push(record)
      }
    }
    this.#scan = () => void (scanning = scanning.then(scan).catch(() => undefined))
    const unwatch = environment.watch((change) => {
      if (["online", "visible", "resume"].includes(change)) for (const lane of lanes.values()) lane.wake()
    })
    this.#scan()
    await new Promise((resolve) => (signal.aborted ? resolve(0) : signal.addEventListener("abort", resolve)))
    unwatch()
    await scanning
    for (const lane of lanes.values()) await lane.idle()
  }

  #tell(store: OutboxStore, state: FateState, { key, url, type, body }: Kept, { offset, error }: Details = {}): void {
    const told = error && { ...error, message: error.message }
    const note = { state, key, url, data: valueOf(body, formOf(type)), offset, error: told }
    store.tell(note)
    this.#hear(note)
  }

  #hear(note: Note): void {
    if (note.state === "cleared") return this.#end("the outbox was cleared")
    const { state, key, url, data, offset, error: told } = note
    // The message has its code already.
    const error = told && Object.assign(new HeadwaterError(told.code, "", told), { message: told.message })
    if (state !== "stored" && state !== "sent") {
      const waiter = this.#waiters.get(key)
      this.#waiters.delete(key)
      if (error) waiter?.reject(error)
      else waiter?.resolve(offset ?? "")
    }
    for (const listener of this.#listeners) listener({ state, key, url, data, offset, error })
    if (state === "stored") this.#scan()
  }
}

/** An outbox of this name and user; what an earlier one has left is sent. */
export function outbox(name: string, options: OutboxOptions): Outbox {
  return new Outbox(name, options)
}

export { indexedDb } from "./outbox/indexeddb.ts"
export { type Held, memory } from "./outbox/memory.ts"
export type { FateState, Kept, Note, Numbers, OutboxStore, Step, StoreFactory } from "./outbox/store.ts"
