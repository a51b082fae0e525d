/**
 * What the tab with the socket does for the others.
 *
 * Rule 1: of a stream that others read it carries what comes from now on; each of them fetches what it lacks by itself.
 * Rule 2: no other tab is waited for.
 * Rule 3: all tabs are one member of a stream: as long as one of them is there.
 */

import type { Feed, Listener, Wish } from "../connection/feed.ts"
import type { Live } from "../connection/live.ts"
import { type Told, isOver } from "../connection/messages.ts"
import * as rest from "../connection/rest.ts"
import type { Host } from "../connection/share.ts"
import { type HeadwaterError, plainError } from "../errors.ts"
import { BUFFER } from "../limits.ts"
import type { News, Post, Wanted } from "./notes.ts"

/** Other tabs, as a listener of a stream. */
class Others implements Listener {
  readonly wish: Wish
  readonly mark: undefined
  readonly tabs: Set<string>
  readonly who: string
  #feed: Feed
  #path: string
  #post: Post<News>
  #over: (others: Others) => void

  constructor(feed: Feed, told: Pick<Wish, "signals" | "presence" | "envelope">, tabs: Set<string>, post: Post<News>, over: (others: Others) => void) {
    this.wish = { from: "now", missing: "wait", window: BUFFER, ...told }
    this.tabs = tabs
    this.who = [...tabs].join()
    this.#feed = feed
    this.#path = feed.path
    this.#post = post
    this.#over = over
  }

  told(told: Told, text: string): void {
    this.#post({ t: "told", path: this.#path, text: text || JSON.stringify(told) })
    // It takes what comes at once, and so waits for whoever does not.
    if (told.t === "data") this.#feed.starve()
    if (isOver(told)) this.#over(this)
  }

  lost(error: HeadwaterError): void {
    this.#over(this)
    // Of a leader that is none any more nobody wants to know.
    if (!error.facts.moved) this.#post({ t: "lost", path: this.#path, error: plainError(error) })
  }
}

export class Leader {
  #host: Host
  #post: Post<News>
  #isOver = false
  #others = new Map<string, Others>()
  #holds = new Map<string, () => void>()
  /** Tabs that are members, by the stream. */
  #members = new Map<string, Set<string>>()
  #known = new Set<string>()
  #await: (tab: string, gone: () => void) => void

  /** `await_`: calls when the tab is gone. */
  constructor(host: Host, post: Post<News>, await_: (tab: string, gone: () => void) => void) {
    this.#host = host
    this.#post = (news) => this.#isOver || post(news)
    this.#await = await_
  }

  hear(wanted: Wanted): void {
    const { tab } = wanted
    if (!this.#known.has(tab)) {
      this.#known.add(tab)
      this.#await(tab, () => this.#gone(tab))
    }
    switch (wanted.t) {
      case "ask":
        return void this.#ask(wanted)
      case "say":
        return void this.#say(tab, JSON.parse(wanted.text) as Told)
      case "follow":
        return this.#follow(wanted)
      case "leave":
        return this.#leave(tab, wanted.path)
      default:
        this.#host.self.reconnect()
    }
  }

  /** Another one leads. */
  end(): void {
    this.#isOver = true
    for (const others of [...this.#others.values()]) this.#drop(others)
  }

  async #ask({ tab, n, text, raw }: Extract<Wanted, { t: "ask" }>): Promise<void> {
    try {
      const message = JSON.parse(text) as Told
      const line = await this.#host.line(undefined)
      // By now the line may be one to another leader.
      if (this.#isOver) return
      this.#post({ t: "answer", tab, n, told: await line.ask(message.t === "here" ? this.#enter(tab, message) : message, raw) })
    } catch (error) {
      this.#post({ t: "answer", tab, n, error: plainError(error as HeadwaterError) })
    }
  }

  async #say(tab: string, message: Told): Promise<void> {
    if (message.t !== "here" || this.#left(tab, message.path as string)) await this.#tell(message)
  }

  async #tell(message: Told): Promise<void> {
    const line = await this.#host.line(undefined).catch(() => undefined)
    if (!this.#isOver) line?.say(message)
  }

  #enter(tab: string, message: Told): Told {
    const path = message.path as string
    const live = this.#live(path)
    const members = this.#members.get(path) ?? new Set()
    const { key: _, member: __, ...state } = message
    // A connection that is a member has its key.
    const isMember = members.size > 0 || live.isMember
    this.#members.set(path, members.add(tab))
    live.others = () => members.size > 0
    return isMember ? state : message
  }

  #live(path: string): Live {
    return this.#host.of(path).live.of(rest)
  }

  /** Whether nobody is left. */
  #left(tab: string, path: string): boolean {
    const members = this.#members.get(path)
    return members?.delete(tab) === true && !members.size && !this.#live(path).isMember
  }

  #follow({ tab, path, live, envelope = false }: Extract<Wanted, { t: "follow" }>): void {
    const feed = this.#host.of(path).feed
    const known = this.#others.get(path)
    if (known && (known.wish.presence || !live) && (known.wish.envelope || !envelope)) {
      known.tabs.add(tab)
      rest.greet(feed, known)
    } else {
      const tabs = (known?.tabs ?? new Set()).add(tab)
      const presence = known?.wish.presence ?? (live || undefined)
      const told = { signals: presence, presence, envelope: known?.wish.envelope ?? (envelope || undefined) }
      const others = new Others(feed, told, tabs, this.#post, (over) => this.#drop(over, path))
      this.#others.set(path, others)
      if (live && !this.#holds.has(path)) this.#holds.set(path, this.#live(path).hold())
      feed.attach(others, rest)
      if (known) feed.detach(known)
    }
    if (!live) return
    const { roster } = this.#live(path)
    if (roster.count) this.#post({ t: "told", path, text: JSON.stringify(roster) })
  }

  #leave(tab: string, path: string): void {
    const others = this.#others.get(path)
    others?.tabs.delete(tab)
    if (others && !others.tabs.size) this.#drop(others, path)
  }

  #drop(others: Others, path = [...this.#others].find(([, each]) => each === others)?.[0]): void {
    if (path === undefined || this.#others.get(path) !== others) return
    this.#others.delete(path)
    this.#host.of(path).feed.detach(others)
    this.#holds.get(path)?.()
    this.#holds.delete(path)
  }

  #gone(tab: string): void {
    this.#known.delete(tab)
    for (const path of [...this.#others.keys()]) this.#leave(tab, path)
    for (const path of this.#members.keys()) {
      if (this.#left(tab, path)) void this.#tell({ t: "here", path, state: null })
    }
  }
}
