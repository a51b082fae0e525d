/** A world whose time stands still until a test moves it. */

import type { Change, Environment } from "../../src/environment.ts"

interface Timer {
  at: number
  call: () => void
}

/** Lets everything that is ready run, promises behind promises too. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class World implements Environment {
  time = 0
  /** How far the clock was put forward; timers do not mind. */
  skew = 0
  isOnline = true
  isHidden = false
  /** What chance gives: the middle, unless a test says otherwise. */
  chance: () => number = () => 0.5
  #timers = new Set<Timer>()
  #watchers = new Set<(change: Change) => void>()

  /** Whole milliseconds, as platforms have it. */
  now = (): number => Math.floor(this.time + this.skew)
  random = (): number => this.chance()
  online = (): boolean => this.isOnline
  hidden = (): boolean => this.isHidden

  timer = (ms: number, call: () => void): (() => void) => {
    const timer = { at: this.time + Math.max(0, ms), call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  watch = (call: (change: Change) => void): (() => void) => {
    this.#watchers.add(call)
    return () => this.#watchers.delete(call)
  }

  /** How many wait for something: nothing may be left behind. */
  get watchers(): number {
    return this.#watchers.size
  }

  get timers(): number {
    return this.#timers.size
  }

  tell(change: Change): void {
    for (const watcher of [...this.#watchers]) watcher(change)
  }

  /** Time passes; timers fire in their order, and what they start runs before the next one. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms
    await settle()
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.time = Math.max(this.time, next.at)
      this.#timers.delete(next)
      next.call()
      await settle()
    }
    this.time = end
  }

  /** The machine sleeps: time passes, and what was due fires late, all at once. */
  async sleep(ms: number): Promise<void> {
    this.time += ms
    await this.pass(0)
  }

  #due(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (timer.at <= end && (!first || timer.at < first.at)) first = timer
    return first
  }
}

/** Chance that is the same in every run. */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
