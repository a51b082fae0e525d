/**
 * What is told of a stream and not stored: signals, and who is there. Read beside the records, on a subscription of its
 * own, as long as somebody listens; after a cut the list of members comes again and signals of meanwhile are lost.
 */

import type { Environment } from "../environment.ts"
import { HeadwaterError } from "../errors.ts"
import { sleep } from "../patience.ts"
import { type Retry, backoffOf } from "../retry.ts"
import type { LiveDoor, Member, Presence, Signal, SignalOptions } from "../transport.ts"
import { type Told, errorOf } from "./messages.ts"
import type { Follower, Session } from "./session.ts"
import type { Sessions } from "./subscription.ts"

/** Signals that wait for a listener that does not take them; the oldest go. */
const MOST_WAITING = 1000

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

interface Being {
  state: unknown
  key: string | undefined
  member: string | undefined
}

export class Live implements LiveDoor, Follower {
  readonly path: string
  #sessions: Sessions
  #environment: Environment
  #retry: Retry
  #signals = new Set<Queue<Signal>>()
  #presences = new Set<Queue<readonly Member[]>>()
  #members = new Map<string, Member>()
  #being: Being | undefined
  #session: Session | undefined
  #lost: ((error: HeadwaterError) => void) | undefined
  #stop: AbortController | undefined

  constructor(path: string, sessions: Sessions, environment: Environment, retry: Retry) {
    this.path = path
    this.#sessions = sessions
    this.#environment = environment
    this.#retry = retry
  }

  signal(data: unknown, options: SignalOptions = {}): void {
    const message = { t: "signal", path: this.path, data, ...options }
    // Nothing is kept for later: what is told is of now.
    void this.#sessions.session(undefined).then((session) => session.say(message), () => undefined)
  }

  signals(): AsyncIterable<Signal> {
    const queue: Queue<Signal> = new Queue(MOST_WAITING, () => this.#without(this.#signals, queue))
    return this.#with(this.#signals, queue)
  }

  presence(state?: unknown): Presence {
    const queue: Queue<readonly Member[]> = new Queue(1, () => this.#without(this.#presences, queue))
    this.#with(this.#presences, queue)
    if (state !== undefined) this.#be(state)
    const members = (): readonly Member[] => [...this.#members.values()]
    return {
      get members() {
        return members()
      },
      set: (to) => this.#be(to),
      leave: () => {
        this.#session?.say({ t: "here", path: this.path, state: null })
        this.#being = undefined
        this.#without(this.#presences, queue)
        queue.end()
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    }
  }

  /** The client goes: nobody listens any more. */
  end(): void {
    for (const queue of [...this.#signals, ...this.#presences]) queue.end()
    this.#signals.clear()
    this.#presences.clear()
    this.#members.clear()
    this.#being = undefined
    this.#stop?.abort()
  }

  #with<T>(set: Set<Queue<T>>, queue: Queue<T>): Queue<T> {
    set.add(queue)
    if (!this.#stop) {
      this.#stop = new AbortController()
      void this.#follow(this.#stop.signal)
    }
    return queue
  }

  #without<T>(set: Set<Queue<T>>, queue: Queue<T>): void {
    set.delete(queue)
    if (this.#signals.size || this.#presences.size) return
    this.#stop?.abort()
    this.#stop = undefined
    this.#lost?.(new HeadwaterError("stopped", "nobody listens"))
  }

  #be(state: unknown): void {
    this.#being = { state, key: this.#being?.key, member: this.#being?.member }
    if (this.#session) void this.#enter(this.#session)
  }

  /** With the key of before, so that a member that comes back is the same one. */
  async #enter(session: Session): Promise<void> {
    const being = this.#being
    if (!being) return
    const { state, key, member } = being
    try {
      const told = await session.ask({ t: "here", path: this.path, state, ...(key ? { key, member } : {}) })
      if (this.#being) this.#being = { ...this.#being, key: told.key as string, member: told.member as string }
    } catch {
      // A connection that is lost is followed by another one; what is refused is told to who listens for it: nobody.
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const backoff = backoffOf(this.#retry, this.#environment.random)
    while (!signal.aborted) {
      const began = this.#environment.now()
      backoff.begin(began)
      const error = await this.#once(signal)
      if (signal.aborted || !error.retryable) return
      const up = this.#environment.now() - began
      const wait = backoff.end({ up, heard: up > 0, hint: error.retryAfter, personal: true }, this.#environment.now())
      if (wait === null) return
      await sleep(this.#environment, wait, signal).catch(() => undefined)
    }
  }

  /** Until it ends; gives why. */
  async #once(signal: AbortSignal): Promise<HeadwaterError> {
    try {
      const session = await this.#sessions.session(this.path, signal)
      return await new Promise<HeadwaterError>((resolve) => {
        this.#lost = resolve
        this.#session = session
        session.follow(this, { from: "now", missing: "wait", window: 0, signals: true, presence: true })
      }).finally(() => {
        session.leave(this)
        this.#session = this.#lost = undefined
      })
    } catch (error) {
      return error as HeadwaterError
    }
  }

  told(told: Told): void {
    switch (told.t) {
      case "sub":
        if (this.#session) void this.#enter(this.#session)
        return
      case "signal":
        for (const queue of this.#signals) queue.put({ from: told.from, to: told.to, topic: told.topic as string | undefined, data: told.data })
        return
      case "presence":
        return this.#changed(told)
      case "drain":
        return this.#lost?.(new HeadwaterError("network", "the server stops", { retryAfter: (told.after ?? 0) * 1000 }))
      case "err":
        return this.#lost?.(errorOf(told))
      case "end":
        return this.#lost?.(new HeadwaterError("network", `the stream is not read any more: ${String(told.why)}`, { retryable: told.why === "detached" || told.why === "deleted" }))
    }
  }

  lost(error: HeadwaterError): void {
    this.#lost?.(error)
  }

  #changed(told: Told): void {
    if (Array.isArray(told.members)) this.#members.clear()
    const put = [told.members, told.joined, told.changed].flatMap((each) => (each as Member[] | null | undefined) ?? [])
    for (const member of put) this.#members.set(member.id, member)
    for (const id of (told.left as string[] | undefined) ?? []) this.#members.delete(id)
    const members = [...this.#members.values()]
    for (const queue of this.#presences) queue.put(members)
  }
}
