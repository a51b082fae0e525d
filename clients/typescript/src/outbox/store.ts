/** Where an outbox keeps its records: IndexedDB, memory, or a store of one's own. */

import { HeadwaterError, type PlainError } from "../errors.ts"
import type { Offset } from "../transport.ts"

/** The numbers of a batch. */
export type Numbers = readonly [epoch: number, seq: number]

/** A record that is kept. */
export interface Kept {
  /** Higher than those of all records before it. */
  readonly key: number
  readonly url: string
  readonly type: string
  readonly body: Uint8Array
  /** When it was appended. */
  readonly at: number
  /** Its batch, from the moment it is frozen. */
  readonly batch?: Numbers
}

/** What becomes of a record. */
export type FateState = "stored" | "sent" | "acknowledged" | "refused" | "expired" | "unknown"

/** What objects over the same database tell each other; it can be cloned, which an error of this package cannot. */
export type Note = Told | { state: "cleared" }

export interface Told {
  state: FateState
  key: number
  url: string
  data: unknown
  offset: Offset | undefined
  error: PlainError | undefined
}

/** What is done in one step: all of it, or nothing. */
export interface Step {
  /** The producer for which it is done: after `clear` there is another one, and nothing is done for this one. */
  id: string
  url: string
  /** The numbers of the stream's next batch as they are kept. Where they are others, somebody else sends, and nothing is done. */
  last: Numbers
  /** What they are from now on. */
  next: Numbers
  put?: readonly Kept[]
  drop?: readonly Kept[]
}

/** A call that cannot be done rejects with `outbox-storage`. */
export interface OutboxStore {
  /** The producer's name: that which is kept, else this one. */
  identify(id: string): Promise<string>
  /** Keeps a record and gives its key; rejects with `outbox-full` where the bodies would be more than `most` bytes. */
  add(record: Omit<Kept, "key">, most: number): Promise<number>
  /** What is kept behind this key, in order. */
  since(key: number): Promise<Kept[]>
  /** The numbers of the next batch of a stream; from [0, 0] on. */
  next(url: string): Promise<Numbers>
  /** Rejects with `stopped` where it was cleared meanwhile, or another one has written. */
  change(step: Step): Promise<void>
  /** Forgets everything. */
  clear(): Promise<void>
  /** Runs it when no other object over this database runs one, unless the signal says stop before. */
  turn(signal: AbortSignal, run: () => Promise<void>): Promise<void>
  /** Tells the other objects. */
  tell(note: Note): void
  /** Whether the platform promises to keep it; it is asked to. */
  durable(): Promise<boolean>
  close(): void
}

/** Opens a database of this name; `hear` is told what others tell. */
export type StoreFactory = (database: string, hear: (note: Note) => void) => Promise<OutboxStore>

export const full = (most: number): HeadwaterError => new HeadwaterError("outbox-full", `no room in \`most\`, ${most} bytes`)
