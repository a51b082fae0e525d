/** A stream as a component shows it: a bounded list of records, and how reading it goes. */

import { type Environment, platform } from "../environment.ts"
import { HeadwaterError } from "../errors.ts"
import type { Batch, End, Gap, ReadOptions, Reader, ReaderState, Rec } from "../reader.ts"
import { type Stream, type StreamOptions, stream } from "../stream.ts"
import type { Offset } from "../transport.ts"
import { Store } from "./store.ts"

/** Records that are kept, unless a component says how many. */
const LIMIT = 1000

/** Ends behind which there is nothing more to read. */
const LAST = /^(closed|failed|deleted)$/

type Reads = Omit<ReadOptions, "signal" | "checkpoint">

export interface UseStreamOptions<T, V = undefined> extends Reads, Omit<StreamOptions<T>, "signal" | "transport"> {
  /** The newest records that are kept and given; 1000. `Infinity`: all. */
  limit?: number
  /** False: nothing is read. What was read stays. */
  enabled?: boolean
  /** Makes one value of all records, those that are no longer kept too: called once for each, in order. It must not change `value`. */
  reduce?: (value: V | undefined, record: Rec<T>) => V
}

export interface StreamView<T, V = undefined> {
  /** The newest ones; the list is another one when records have come, and the same one otherwise. */
  readonly records: readonly Rec<T>[]
  /** What `reduce` has made. */
  readonly value: V | undefined
  /** `idle`: nothing is read now. */
  readonly state: ReaderState
  /** Why reading has ended, unless it was a good end. What passes is `state` `waiting`. */
  readonly error: HeadwaterError | null
  /** How it has ended. */
  readonly end: End | null
  /** Behind the last one of `records`. */
  readonly offset: Offset
  /** The last place where records were left out. */
  readonly gap: Gap | null
  /** Appends, exactly once as long as the component lives. */
  readonly append: (data: T, options?: { signal?: AbortSignal; create?: boolean }) => Promise<Offset>
  /** Goes on now, behind the last record: after an error, or in place of waiting. */
  readonly reconnect: () => void
}

export type Named<T> = string | URL | Stream<T> | null | undefined

const isStream = <T>(of: Named<T>): of is Stream<T> => typeof of === "object" && of !== null && "sink" in of

/** What begins anew when it changes. */
const placeOf = <T, V>(options: UseStreamOptions<T, V>): string => {
  const { from, last, live, gone, missing, slow, transport } = options
  return JSON.stringify([from, last, live, gone, missing, slow, transport])
}

/** A handle that is made again while a component renders is the same stream: of one URL, and of one connection. */
function isSame<T>(one: Named<T>, other: Named<T>): boolean {
  if (one === other) return true
  if (!isStream(one) || !isStream(other)) return !!one && !!other && !isStream(one) && !isStream(other) && String(one) === String(other)
  return one.sink().door.live === other.sink().door.live && one.url === other.url
}

function newest<R>(records: readonly R[], limit: number): readonly R[] {
  if (records.length <= limit) return records
  return limit > 0 ? records.slice(-limit) : []
}

export class Reading<T, V> extends Store<StreamView<T, V>> {
  /** Those of the last render. */
  options: UseStreamOptions<T, V>
  #of: Named<T>
  #place: string
  #made: Stream<T> | undefined
  #reader: Reader<T> | undefined
  /** Records that are not shown yet. */
  #fresh: Rec<T>[] = []
  #value: V | undefined
  #offset: Offset | undefined
  #gap: Gap | null = null
  #end: End | null = null

  constructor(of: Named<T>, options: UseStreamOptions<T, V>) {
    super({
      records: [],
      value: undefined,
      state: "idle",
      error: null,
      end: null,
      offset: options.from ?? "start",
      gap: null,
      append: async (data, appending) => this.#stream().append(data, appending),
      reconnect: () => this.#reconnect(),
    })
    this.#of = of
    this.#place = placeOf(options)
    this.options = options
  }

  isOf(of: Named<T>, options: UseStreamOptions<T, V>): boolean {
    return isSame(this.#of, of) && this.#place === placeOf(options)
  }

  protected get environment(): Environment {
    return this.options.environment ?? (isStream(this.#of) ? this.#of.sink().environment : platform)
  }

  protected start(): void {
    if (LAST.test(this.#end?.kind ?? "")) return
    this.#end = null
    try {
      const reader = this.#stream().read(this.#reads())
      this.#reader = reader
      reader.on("state", () => this.changed())
      void this.#follow(reader)
    } catch (error) {
      this.#failed(error)
    }
    this.changed()
  }

  protected stop(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.close()
  }

  protected look(shown: StreamView<T, V>): StreamView<T, V> {
    const { limit = LIMIT } = this.options
    const records = this.#fresh.length ? newest([...shown.records, ...this.#fresh], limit) : shown.records
    this.#fresh = []
    return {
      ...shown,
      records,
      value: this.#value,
      state: this.#end ? "ended" : (this.#reader?.state ?? "idle"),
      error: this.#end?.error ?? null,
      end: this.#end,
      offset: this.#offset ?? shown.offset,
      gap: this.#gap,
    }
  }

  /** Behind what is there already, if reading goes on after a pause. */
  #reads(): Reads {
    const { last, ...options } = this.options
    if (this.#offset !== undefined) return { ...options, from: this.#offset }
    return last === undefined ? options : { ...options, last }
  }

  #stream(): Stream<T> {
    if (isStream(this.#of)) return this.#of
    if (!this.#of) throw new HeadwaterError("bad-request", "there is no stream yet: useStream was given null")
    const { headers, ...options } = this.options
    // Those of the last render, so that a token that was renewed is shown with the next request.
    const latest = (): HeadersInit | Promise<HeadersInit> => {
      const { headers: now = {} } = this.options
      return typeof now === "function" ? now() : now
    }
    return (this.#made ??= stream<T>(this.#of, { ...options, ...(headers && { headers: latest }) }))
  }

  async #follow(reader: Reader<T>): Promise<void> {
    let failure: unknown
    try {
      for await (const batch of reader.batches()) {
        if (reader !== this.#reader) return
        this.#take(batch)
        this.changed()
      }
    } catch (error) {
      failure = error
      // Of what is no error of reading, such as a URL that is none.
      reader.close()
    }
    const end = await reader.end
    if (reader !== this.#reader) return
    if (failure && !end.error) this.#failed(failure)
    else this.#end = end
    this.changed()
  }

  #take({ records, offset, gap }: Batch<T>): void {
    const { limit = LIMIT, reduce } = this.options
    for (const record of records) {
      this.#fresh.push(record)
      if (!reduce) continue
      try {
        this.#value = reduce(this.#value, record)
      } catch (cause) {
        throw new HeadwaterError("bad-record", `reduce threw: ${String(cause)}`, { offset: record.offset, cause })
      }
    }
    // A frame may be long in coming, and the list stays bounded meanwhile.
    if (this.#fresh.length > 2 * limit) this.#fresh = [...newest(this.#fresh, limit)]
    this.#offset = offset
    this.#gap = gap ?? this.#gap
  }

  /** What is wrong with what the application gave: its URL, its `reduce`. */
  #failed(cause: unknown): void {
    const error = cause instanceof HeadwaterError ? cause : new HeadwaterError("bad-request", `this cannot be read: ${String(cause)}`, { cause })
    this.#end = { kind: "error", offset: this.#offset ?? this.first.offset, code: error.code, message: error.message, error }
  }

  #reconnect(): void {
    if (!this.isOn) return
    if (this.#reader && !this.#end) return this.#reader.reconnect()
    this.start()
  }
}
