/**
 * What components show of something that goes on outside of React.
 *
 * Rule 1: it goes on while somebody looks, and is ended in the turn in which the last one has left. Whoever leaves and comes
 *         back in one turn, as every component does once under StrictMode, ends nothing.
 * Rule 2: what is shown is one object until something in it changes; then it is another one. So all that render at one time
 *         show the same.
 */

import type { Environment } from "../environment.ts"
import { type Frames, framesOf } from "./frames.ts"

export abstract class Store<S extends object> {
  /** Of the server, and of the page that takes its markup over. */
  readonly first: S
  #shown: S
  #watchers = new Set<() => void>()
  #isOn = false
  #frames: Frames | undefined

  constructor(first: S) {
    this.first = this.#shown = first
  }

  protected abstract get environment(): Environment
  protected abstract start(): void
  protected abstract stop(): void
  /** What is to be shown now. */
  protected abstract look(shown: S): S

  get isOn(): boolean {
    return this.#isOn
  }

  readonly shown = (): S => this.#shown

  readonly initial = (): S => this.first

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    if (!this.#isOn) {
      this.#isOn = true
      this.start()
    }
    return () => {
      this.#watchers.delete(watcher)
      queueMicrotask(() => this.#leave())
    }
  }

  /** Something has changed: it is shown with the next frame. */
  protected changed(): void {
    if (!this.#isOn) return
    this.#frames ??= framesOf(this.environment, () => this.#show())
    this.#frames.ask()
  }

  #leave(): void {
    if (this.#watchers.size || !this.#isOn) return
    this.#isOn = false
    this.#frames?.cancel()
    this.stop()
    this.#show()
  }

  #show(): void {
    const next = this.look(this.#shown)
    const isSame = (Object.keys(next) as (keyof S)[]).every((key) => Object.is(next[key], this.#shown[key]))
    if (isSame) return
    this.#shown = next
    for (const watcher of [...this.#watchers]) watcher()
  }
}
