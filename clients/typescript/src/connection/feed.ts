/**
 * One stream of a connection, as all who read it here share it.
 *
 * Rule 1: it is subscribed to once. Who stands elsewhere than what is told reads pages until both meet; so that this can be
 *         anywhere, a subscription that is still behind the tail goes on there as soon as it has two readers.
 * Rule 2: credit is the slowest reader's. One for whom another has waited for a second is let go, and reads pages again.
 * Rule 3: when another tab takes over, it goes on at its place, and nobody is told.
 */

import type { Environment } from "../environment.ts"
import { HeadwaterError } from "../errors.ts"
import { ACKNOWLEDGED, STALLED } from "../limits.ts"
import type { Retry } from "../retry.ts"
import type { Offset, Slow } from "../transport.ts"
import type { Told } from "./messages.ts"
import type { Follower, Line } from "./session.ts"

/** What somebody wants of a subscription. */
export interface Wish {
  /** An offset, `-1` or `now`. */
  readonly from: Offset
  readonly last?: number | undefined
  readonly slow?: Slow | undefined
  /** A stream that is not there is waited for. */
  readonly wait?: boolean
  /** Bytes that may be told and not be done with. */
  readonly buffer: number
  /** Signals, and who is there, are told, too. */
  readonly live?: boolean
  /** Records are told with what is known of them. */
  readonly envelope?: boolean | undefined
}

/** Who listens to a feed. */
export interface Listener {
  readonly wish: Wish
  /** Who it is, in all its attempts. */
  readonly who: unknown
  /** Up to which of the feed's bytes it is done; undefined: it takes no part in the credit. */
  readonly mark: number | undefined
  /** Something was told. `from`: where the feed stood before that; `mine`: of `sub`: it begins where this one wants. */
  told(told: Told, text: string, from: Offset, mine: boolean): void
  /** It is over, without a word of the server's. */
  lost(error: HeadwaterError): void
  /** Others have waited long enough. */
  letGo?(): void
  /** It takes what comes at once, and so waits for whoever does not. */
  readonly isEager?: boolean
}

/** Where lines come from, and what a feed needs beside them. */
export interface Lines {
  readonly environment: Environment
  readonly retry: Retry
  /** Milliseconds; 0: it is not known. */
  readonly heartbeat: number
  /** A line that is up. `who`: for whom; who waited by rules of its own does not wait again. */
  line(who: unknown, signal?: AbortSignal): Promise<Line>
  /** What a call gives, within a time. */
  limited<R>(ms: number, call: Promise<R>): Promise<R>
}

/** Whether it follows on what was told before. */
const isOfPlace = ({ t }: Told): boolean => t === "data" || t === "live" || t === "gap"

const place = ({ from, last }: Wish): string => (last === undefined ? from : `last ${last}`)

export class Feed implements Follower {
  readonly path: string
  /** Behind what was told last. */
  position: Offset = ""
  /** The `sub` by which it is told, and whether it has come to the tail. */
  opened: Told | undefined
  isLive = false
  /** Bytes that were told. */
  got = 0
  #lines: Lines
  #listeners = new Set<Listener>()
  #line: Line | undefined
  /** What was subscribed to last; undefined: nothing is. */
  #wish: Wish | undefined
  #waiting: Told | undefined
  /** It goes on where it was at the tail. */
  #wasLive = false
  #turn = 0
  #stop = new AbortController()
  #acked = 0
  #marks: [mark: number, offset: Offset][] = []
  #acking: (() => void) | undefined
  #stalling: (() => void) | undefined
  #answering: (() => void) | undefined

  constructor(path: string, lines: Lines) {
    this.path = path
    this.#lines = lines
  }

  /** By which it is told. */
  get line(): Line | undefined {
    return this.#line
  }

  attach(listener: Listener): void {
    this.#listeners.add(listener)
    const known = this.#wish
    const { wish, who } = listener
    if (!known) return this.#subscribe(wish, who)
    const live = known.live || wish.live === true
    const envelope = known.envelope || wish.envelope === true
    const atTail = this.isLive || this.#wasLive || place(known) === "now"
    const elsewhere = !atTail && place(wish) !== place(known) && wish.from !== this.position
    if (elsewhere || live !== Boolean(known.live) || envelope !== Boolean(known.envelope)) {
      const from = elsewhere || !this.opened ? "now" : this.position
      return this.#subscribe({ ...known, from, last: undefined, live, envelope, wait: known.wait || wish.wait === true })
    }
    this.greet(listener)
  }

  /** Tells it what all others know. */
  greet(listener: Listener): void {
    const { opened, position, isLive } = this
    if (opened) {
      listener.told({ ...opened, from: position }, "", position, listener.wish.from === "now")
      if (isLive) listener.told({ t: "live", o: position }, "", position, false)
    } else if (this.#waiting) listener.told(this.#waiting, "", position, false)
  }

  detach(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return
    if (this.#listeners.size) return this.settle()
    this.#leave()
  }

  /** Somebody is done with something, or takes no part any more. */
  settle(): void {
    let floor = this.got
    for (const { mark = Infinity } of this.#listeners) floor = Math.min(floor, mark)
    if (floor === this.#acked) return
    this.#disarm()
    if ((floor - this.#acked) * 2 >= this.#window) this.#acknowledge(floor)
    else this.#acking = this.#lines.environment.timer(ACKNOWLEDGED, () => this.#acknowledge(floor))
  }

  /** Somebody waits for more: those who keep the server from telling it are let go after a while. */
  starve(): void {
    if (this.#listeners.size < 2 || this.got - this.#acked < this.#window) return
    this.#stalling ??= this.#lines.environment.timer(STALLED, () => {
      this.#stalling = undefined
      for (const listener of this.#listeners) if ((listener.mark ?? Infinity) < this.got) listener.letGo?.()
      this.settle()
    })
  }

  // What the line tells

  told(told: Told, text: string): void {
    // Another tab's leader tells all tabs at once: where this one goes on is not said yet.
    if (!this.opened && isOfPlace(told)) return
    this.#answering?.()
    const from = this.position
    let mine: string | undefined
    switch (told.t) {
      case "sub":
        this.opened = told
        this.position = told.from ?? ""
        if (this.#wish && !this.#line?.isFar) mine = place(this.#wish)
        break
      case "waiting":
        this.#waiting = told
        break
      case "data":
        this.position = told.o ?? from
        this.got += text.length
        this.#marks.push([this.got, this.position])
        break
      case "gap":
        this.position = told.o ?? told.to ?? from
        break
      case "live":
        this.isLive = true
    }
    // An error without an id is of something that was said, and ends nothing.
    const over = told.t === "end" || told.t === "drain" || (told.t === "err" && told.id !== undefined)
    const listeners = [...this.#listeners]
    if (over) this.#over()
    for (const listener of listeners) listener.told(told, text, from, place(listener.wish) === mine)
    if (told.t !== "data") return
    this.settle()
    if (listeners.some(({ isEager }) => isEager)) this.starve()
  }

  lost(error: HeadwaterError): void {
    const wish = this.#wish as Wish
    if (error.facts.moved) return this.#subscribe(this.opened ? { ...wish, from: this.position, last: undefined } : wish)
    const listeners = [...this.#listeners]
    this.#over()
    for (const listener of listeners) listener.lost(error)
  }

  get #window(): number {
    return this.#wish?.buffer ?? 0
  }

  /** In place of what is subscribed to. What is under way of that is not told any more. */
  #subscribe(wish: Wish, who?: unknown): void {
    this.#answering?.()
    this.#line?.leave(this)
    this.#line = undefined
    this.#wish = wish
    this.#wasLive = (this.isLive || this.#wasLive) && wish.from === this.position
    this.#waiting = this.opened = undefined
    this.isLive = false
    this.#acked = this.got
    this.#marks.length = 0
    void this.#begin(wish, (this.#turn += 1), who)
  }

  async #begin(wish: Wish, turn: number, who: unknown): Promise<void> {
    const { retry, environment } = this.#lines
    const { from, last, slow, wait, buffer, live, envelope } = wish
    let line: Line
    try {
      line = await this.#lines.line(who, this.#stop.signal)
    } catch (error) {
      if (turn === this.#turn) this.lost(error as HeadwaterError)
      return
    }
    if (turn !== this.#turn) return
    this.#line = line
    const disarm = environment.timer(retry.connect, () => {
      // Whoever does not answer this answers nobody.
      line.close(new HeadwaterError("silent", `nothing came in ${retry.connect} ms`))
    })
    this.#answering = () => {
      this.#answering = undefined
      disarm()
    }
    line.follow(this, {
      ...(last === undefined ? { from } : { last }),
      ...(slow === undefined ? {} : { slow }),
      ...(wait ? { missing: "wait" } : {}),
      window: buffer,
      ...(live ? { signals: true, presence: true } : {}),
      ...(envelope ? { envelope } : {}),
    })
  }

  #acknowledge(floor: number): void {
    this.#disarm()
    this.#acked = floor
    let o: Offset | undefined
    for (let first = this.#marks[0]; first && first[0] <= floor; first = this.#marks[0]) {
      o = first[1]
      this.#marks.shift()
    }
    if (o && this.opened) this.#line?.say({ t: "ack", s: this.opened.s, o })
  }

  #disarm(): void {
    this.#acking?.()
    this.#stalling?.()
    this.#acking = this.#stalling = undefined
  }

  /** Nobody listens. */
  #leave(): void {
    this.#over()
    this.#stop.abort(new HeadwaterError("stopped", "nobody reads it"))
    this.#stop = new AbortController()
  }

  #over(): void {
    this.#answering?.()
    this.#disarm()
    this.#line?.leave(this)
    this.#turn += 1
    this.#listeners.clear()
    this.#line = this.#wish = this.#waiting = this.opened = undefined
    this.isLive = false
  }
}
