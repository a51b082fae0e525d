/**
 * What is told of a stream and not stored, loaded when somebody wants it: signals, and who is there. Told beside the records, as long as somebody listens;
 * after a cut the list of members comes again and signals of meanwhile are lost.
 */

import type { Environment } from "../environment.ts"
import { HeadwaterError, stopped } from "../errors.ts"
import { BUFFER, MOST_SIGNALS } from "../limits.ts"
import { pause } from "../patience.ts"
import { type Retry, backoffOf } from "../retry.ts"
import { onAbort } from "../signals.ts"
import type { LiveDoor, Member, Presence, Signal, SignalOptions } from "../transport.ts"
import type { Streams } from "./door.ts"
import type { Feed, Listener, Wish } from "./feed.ts"
import type { Told } from "./messages.ts"
import * as rest from "./rest.ts"

/** What is put in and taken out in order; a consumer that leaves tells so. */
class Queue<T> implements AsyncIterable<T> {
  #items: T[] = []
  #most: number
  #ready: (() => void) | undefined
  #over = false
  #left: () => void

  constructor(most: number, left: () => void) {
    this.#most = most
    this.#left = left
  }

  put(item: T): void {
    this.#items.push(item)
    if (this.#items.length > this.#most) this.#items.shift()
    this.#ready?.()
  }

  end(): void {
    this.#over = true
    this.#ready?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        while (!this.#items.length && !this.#over) await new Promise<void>((resolve) => (this.#ready = resolve))
        if (!this.#items.length) return
        yield this.#items.shift() as T
      }
    } finally {
      this.#left()
    }
  }
}

/** This client as a member. Tabs that share a connection are one. */
interface Being {
  state: unknown
  key?: string | undefined
  member?: string | undefined
}

const signalOf = ({ from, to, topic, by, data }: Told): Signal => ({ from, to, topic, data, ...(by && { by }) }) as unknown as Signal

export class Live implements Listener, LiveDoor {
  readonly path: string
  readonly wish: Wish = { from: "now", missing: "wait", window: BUFFER, signals: true, presence: true }
  readonly who: this = this
  readonly mark: undefined
  /** Whether other tabs are members by this connection. */
  others: () => boolean = () => false
  #lines: Streams
  #environment: Environment
  #retry: Retry
  #signals = new Set<Queue<Signal>>()
  #presences = new Set<Queue<readonly Member[]>>()
  #members = new Map<string, Member>()
  #count = 0
  #isListed = true
  #being: Being | undefined
  #isOn = false
  #lost: ((error: HeadwaterError) => void) | undefined
  #stop: AbortController | undefined

  constructor(path: string, lines: Streams) {
    this.path = path
    this.#lines = lines
    this.#environment = lines.environment
    this.#retry = lines.retry
    // The client goes: nobody listens any more.
    onAbort(lines.signal, () => this.#end())
  }

  #feed(): Feed {
    return this.#lines.of(this.path).feed
  }

  signal(data: unknown, options: SignalOptions = {}): void {
    const message = { t: "signal", path: this.path, data, ...options }
    // Nothing is kept for later: what is told is of now.
    void this.#lines.line(undefined).then((line) => line.say(message), () => undefined)
  }

  signals(): AsyncIterable<Signal> {
    const queue: Queue<Signal> = new Queue(MOST_SIGNALS, () => this.#without(this.#signals, queue))
    return this.#with(this.#signals, queue)
  }

  presence(state?: unknown): Presence {
    const queue: Queue<readonly Member[]> = new Queue(1, () => this.#without(this.#presences, queue))
    this.#with(this.#presences, queue)
    if (state !== undefined) this.#be(state)
    const self = this
    return {
      get members() {
        return [...self.#members.values()]
      },
      get count() {
        return self.#count
      },
      set: (to) => this.#be(to),
      leave: () => {
        this.#being = undefined
        if (!this.others()) this.#feed().line?.say({ t: "here", path: this.path, state: null })
        this.#without(this.#presences, queue)
        queue.end()
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    }
  }

  /** Listens for another tab; gives what ends that. */
  hold(): () => void {
    const queue = this.#with(this.#presences, new Queue<readonly Member[]>(1, () => undefined))
    return () => this.#without(this.#presences, queue)
  }

  /** Who is there, as the server would tell it. */
  get roster(): Told {
    return { t: "presence", count: this.#count, members: this.#isListed ? [...this.#members.values()] : null }
  }

  get isMember(): boolean {
    return this.#being !== undefined
  }

  #end(): void {
    for (const queue of [...this.#signals, ...this.#presences]) queue.end()
    this.#signals.clear()
    this.#presences.clear()
    this.#forget()
    this.#being = undefined
    this.#stop?.abort()
  }

  #with<T>(set: Set<Queue<T>>, queue: Queue<T>): Queue<T> {
    set.add(queue)
    if (this.#lines.signal.aborted) this.#end()
    else if (!this.#stop) {
      this.#stop = new AbortController()
      void this.#follow(this.#stop.signal)
    }
    return queue
  }

  #without<T>(set: Set<Queue<T>>, queue: Queue<T>): void {
    set.delete(queue)
    if (this.#signals.size || this.#presences.size) return
    this.#forget()
    this.#stop?.abort()
    this.#stop = undefined
    this.#lost?.(stopped("nobody listens"))
  }

  #forget(): void {
    this.#members.clear()
    this.#count = 0
    this.#isListed = true
  }

  #be(state: unknown): void {
    this.#being = { ...this.#being, state }
    if (this.#isOn) void this.#enter()
  }

  /** With the key of before, so that a member that comes back is the same one. */
  async #enter(): Promise<void> {
    if (!this.#being) return
    try {
      const told = await this.#feed().line?.ask({ t: "here", path: this.path, ...this.#being })
      if (told && this.#being) this.#being = { ...this.#being, key: told.key as string, member: told.member as string }
    } catch {
      // A connection that is lost is followed by another one; what is refused is told to who listens for it: nobody.
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const backoff = backoffOf(this.#retry, this.#environment)
    while (!signal.aborted) {
      const began = this.#environment.now()
      backoff.begin()
      const error = await this.#once(signal)
      if (signal.aborted || !error.retryable) return
      const up = this.#environment.now() - began
      const wait = backoff.end({ up, heard: up > 0, hint: error.retryAfter, personal: true })
      if (wait === null) return
      await pause(this.#environment, backoff, wait, signal, undefined, true)
    }
  }

  /** Until it ends; gives why. */
  async #once(signal: AbortSignal): Promise<HeadwaterError> {
    const feed = this.#feed()
    try {
      return await new Promise<HeadwaterError>((resolve) => {
        this.#lost = resolve
        signal.addEventListener("abort", () => resolve(signal.reason as HeadwaterError), { once: true })
        feed.attach(this, rest)
      })
    } finally {
      feed.detach(this)
      this.#lost = undefined
      this.#isOn = false
    }
  }

  told(told: Told): void {
    switch (told.t) {
      case "sub":
        this.#isOn = true
        return void this.#enter()
      case "signal":
        for (const queue of this.#signals) queue.put(signalOf(told))
        return
      case "presence":
        return this.#changed(told)
      case "drain":
        return this.#lost?.(new HeadwaterError("network", "the server stops", { retryAfter: (told.after ?? 0) * 1000 }))
      case "err":
        return told.id === undefined ? undefined : this.#lost?.(rest.errorOf(told))
      case "end":
        return this.#lost?.(new HeadwaterError("network", `not read any more: ${String(told.why)}`, { retryable: told.why === "detached" || told.why === "deleted" }))
    }
  }

  lost(error: HeadwaterError): void {
    this.#lost?.(error)
  }

  #changed(told: Told): void {
    if (told.members !== undefined) {
      // Null: there are too many for a list.
      this.#isListed = told.members !== null
      this.#members.clear()
    }
    const put = [told.members, told.joined, told.changed].flatMap((each) => (each as Member[] | null | undefined) ?? [])
    for (const member of put) this.#members.set(member.id, member)
    for (const id of (told.left as string[] | undefined) ?? []) this.#members.delete(id)
    const members = [...this.#members.values()]
    this.#count = (told.count as number | undefined) ?? members.length
    for (const queue of this.#presences) queue.put(members)
  }
}
