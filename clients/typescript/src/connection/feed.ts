/**
 * One stream of a connection, as all who read it here share it.
 *
 * Rule 1: it is subscribed to once. Who stands elsewhere than what is told reads pages until both meet; so that this can be
 *         anywhere, a subscription that is still behind the tail goes on there as soon as it has two readers.
 * Rule 2: credit is the slowest reader's. One for whom another has waited for a second is let go, and reads pages again.
 * Rule 3: when another tab takes over, it goes on at its place, and nobody is told.
 */

import type { Environment } from "../environment.ts"
import { HeadwaterError, stopped } from "../errors.ts"
import { ACKNOWLEDGED, STALLED } from "../limits.ts"
import type { Retry } from "../retry.ts"
import type { Offset, Slow } from "../transport.ts"
import type { ConnectionParts, Rest } from "./door.ts"
import { type Told, isOver } from "./messages.ts"
import type { Follower, Line } from "./session.ts"

/** What somebody wants of a subscription, as `sub` says it. */
export interface Wish {
  /** An offset, `-1` or `now`. */
  readonly from: Offset
  readonly last?: number | undefined
  readonly slow?: Slow | undefined
  /** A stream that is not there is waited for. */
  readonly missing?: "wait" | undefined
  /** Bytes that may be told and not be done with. */
  readonly window: number
  /** Signals, and who is there, are told, too. */
  readonly signals?: true | undefined
  readonly presence?: true | undefined
  /** Records are told with what is known of them. */
  readonly envelope?: true | undefined
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
}

/** Where lines come from, and what a feed needs beside them. */
export interface Lines {
  readonly environment: Environment
  readonly retry: Retry
  /** A line that is up. `who`: for whom; who waited by rules of its own does not wait again. */
  line(who: unknown, signal?: AbortSignal): Promise<Line>
  readonly parts: ConnectionParts
  /** Whether another token can be shown, and when one was refused. */
  readonly access: { readonly isFresh: boolean; refusedAt: number }
}

/** Where it begins. */
export const place = ({ from, last }: Wish): string => (last === undefined ? from : `last ${last}`)

export interface Feed extends Follower {
  /** Behind what was told last. */
  position: Offset
  /** The `sub` by which it is told, or that the stream is waited for, and whether it has come to the tail. */
  opened: Told | undefined
  waiting: Told | undefined
  isLive: boolean
  /** It goes on where it was at the tail. */
  wasLive: boolean
  /** Bytes that were told. */
  got: number
  /** By which it is told. */
  line: Line | undefined
  /** What was subscribed to last; undefined: nothing is. */
  wish: Wish | undefined
  /** `rest`: what is needed where something is subscribed to. */
  attach(listener: Listener, rest?: Rest): void
  detach(listener: Listener): void
  /** Somebody is done with something, or takes no part any more. */
  settle(): void
  /** Somebody waits for more: those who keep the server from telling it are let go after a while. */
  starve(): void
  /** In place of what is subscribed to. What is under way of that is not told any more. */
  subscribe(wish: Wish, who?: unknown): void
}

export function feedOf(path: string, lines: Lines): Feed {
  const { retry, environment } = lines
  const listeners = new Set<Listener>()
  const marks: [mark: number, offset: Offset][] = []
  let turn = 0
  let stop = new AbortController()
  let acked = 0
  let acking: (() => void) | undefined
  let stalling: (() => void) | undefined
  let answering: (() => void) | undefined

  const disarm = (): void => {
    acking?.()
    stalling?.()
    acking = stalling = undefined
  }

  /** What is told is not told any more. */
  const leave = (wish?: Wish): void => {
    answering?.()
    self.line?.leave(self)
    turn += 1
    self.wish = wish
    self.line = self.waiting = self.opened = undefined
    self.isLive = false
    acked = self.got
    marks.length = 0
  }

  /** Gives those who listened. */
  const over = (): Listener[] => {
    const all = [...listeners]
    disarm()
    leave()
    listeners.clear()
    return all
  }

  const acknowledge = (floor: number): void => {
    disarm()
    acked = floor
    let o: Offset | undefined
    while (marks[0] && marks[0][0] <= floor) o = marks.shift()?.[1]
    if (o && self.opened) self.line?.say({ t: "ack", s: self.opened.s, o })
  }

  const begin = async (wish: Wish, mine: number, who: unknown): Promise<void> => {
    try {
      const line = await lines.line(who, stop.signal)
      if (mine !== turn) return
      self.line = line
      answering = environment.timer(retry.connect, () => {
        // Whoever does not answer this answers nobody.
        line.close(new HeadwaterError("silent", `nothing came in ${retry.connect} ms`))
      })
      line.follow(self, wish.last === undefined ? wish : { ...wish, from: undefined })
    } catch (error) {
      if (mine === turn) self.lost(error as HeadwaterError)
    }
  }

  const self: Feed = {
    path,
    position: "",
    opened: undefined,
    waiting: undefined,
    isLive: false,
    wasLive: false,
    got: 0,
    line: undefined,
    wish: undefined,
    attach(listener, rest) {
      listeners.add(listener)
      if (self.wish) rest?.join(self, listener)
      else self.subscribe(listener.wish, listener.who)
    },
    detach(listener) {
      if (!listeners.delete(listener)) return
      if (listeners.size) return self.settle()
      over()
      stop.abort(stopped("nobody reads it"))
      stop = new AbortController()
    },
    settle() {
      let floor = self.got
      for (const { mark = Infinity } of listeners) floor = Math.min(floor, mark)
      if (floor === acked) return
      disarm()
      if ((floor - acked) * 2 >= (self.wish as Wish).window) acknowledge(floor)
      else acking = environment.timer(ACKNOWLEDGED, () => acknowledge(floor))
    },
    starve() {
      if (listeners.size < 2 || self.got - acked < (self.wish as Wish).window) return
      stalling ??= environment.timer(STALLED, () => {
        stalling = undefined
        for (const { mark = Infinity, letGo } of listeners) if (mark < self.got) letGo?.()
        self.settle()
      })
    },
    told(told, text) {
      const { t, o } = told
      // Another tab's leader tells all tabs at once: where this one goes on is not said yet.
      if (!self.opened && /^(data|live|gap)$/.test(t)) return
      answering?.()
      const from = self.position
      let mine: string | undefined
      if (t === "sub") {
        self.opened = told
        self.position = told.from ?? ""
        if (self.wish && !self.line?.isFar) mine = place(self.wish)
      } else if (t === "waiting") self.waiting = told
      else if (t === "live") self.isLive = true
      else if (t === "gap") self.position = o ?? told.to ?? from
      else if (t === "data") {
        self.position = o ?? from
        marks.push([(self.got += text.length), self.position])
      }
      const all = isOver(told) ? over() : [...listeners]
      for (const listener of all) listener.told(told, text, from, place(listener.wish) === mine)
      if (t === "data") self.settle()
    },
    lost(error) {
      const wish = self.wish as Wish
      if (error.facts.moved) self.subscribe(self.opened ? { ...wish, from: self.position, last: undefined } : wish)
      else for (const listener of over()) listener.lost(error)
    },
    subscribe(wish, who) {
      self.wasLive = (self.isLive || self.wasLive) && wish.from === self.position
      leave(wish)
      void begin(wish, turn, who)
    },
  }
  return self
}
