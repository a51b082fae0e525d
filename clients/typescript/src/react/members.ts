/**
 * Who is at a stream, as the components of a page show it together.
 *
 * Rule: a page is one member of a stream, by the state that was said last. It is one as long as a component says a state, and
 * looks on while others show the list.
 */

import type { Environment } from "../environment.ts"
import { type HeadwaterError, causedBy } from "../errors.ts"
import type { Stream } from "../stream.ts"
import type { Member, Presence } from "../transport.ts"
import { Store } from "./store.ts"

/** A stream, of records of any type. */
export type Attended = Pick<Stream, "sink" | "presence">

export interface Roster {
  readonly members: readonly Member[]
  readonly count: number
  readonly error: HeadwaterError | null
}

export const NOBODY: Roster = { members: [], count: 0, error: null }

export class Members extends Store<Roster> {
  #stream: Attended
  #presence: Presence | undefined
  /** What each component says, the last one last. */
  #said = new Map<object, unknown>()
  #told: unknown
  #members: readonly Member[] = NOBODY.members
  #count = 0
  #error: HeadwaterError | null = null

  constructor(stream: Attended) {
    super(NOBODY)
    this.#stream = stream
  }

  /** Undefined and null: it says nothing more. */
  say(who: object, state: unknown): void {
    this.#said.delete(who)
    if (state !== undefined && state !== null) this.#said.set(who, state)
    // With what else is said in this turn: a component that is mounted twice does not leave in between.
    queueMicrotask(() => this.#settle())
  }

  protected get environment(): Environment {
    return this.#stream.sink().environment
  }

  protected start(): void {
    this.#error = null
    try {
      this.#told = [...this.#said.values()].at(-1)
      this.#presence = this.#stream.presence(this.#told)
      // What others who look have been told already.
      this.#see(this.#presence.members, this.#presence.count)
      void this.#follow(this.#presence)
    } catch (error) {
      this.#error = causedBy(error, "unsupported", "nobody can be seen")
    }
    this.changed()
  }

  protected stop(): void {
    const presence = this.#presence
    this.#presence = undefined
    this.#see(NOBODY.members, 0)
    presence?.leave()
  }

  protected look(): Roster {
    return { members: this.#members, count: this.#count, error: this.#error }
  }

  #settle(): void {
    const state = [...this.#said.values()].at(-1)
    if (!this.#presence || state === this.#told) return
    this.#told = state
    if (state !== undefined) return this.#presence.set(state)
    // Others look on, without a moment in which nobody does.
    const member = this.#presence
    this.start()
    member.leave()
  }

  #see(members: readonly Member[], count: number): void {
    this.#members = members
    this.#count = count
  }

  async #follow(presence: Presence): Promise<void> {
    for await (const members of presence) {
      if (presence !== this.#presence) return
      this.#see(members, presence.count)
      this.changed()
    }
    if (presence !== this.#presence) return
    this.#see(NOBODY.members, 0)
    this.changed()
  }
}

const all = /* @__PURE__ */ new WeakMap<object, Members>()

/** The one of a stream: of its connection, however often the handle is made. */
export function membersOf(stream: Attended): Members {
  const key = stream.sink().door.live ?? stream
  let members = all.get(key)
  if (!members) all.set(key, (members = new Members(stream)))
  return members
}
