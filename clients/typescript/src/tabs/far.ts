/** The way of a follower to the leader of one term. */

import { parse, type Told } from "../connection/messages.ts"
import type { Wish } from "../connection/feed.ts"
import type { Follower, Line } from "../connection/session.ts"
import { type HeadwaterError, errorAgain } from "../errors.ts"
import type { News, Post, Wanted } from "./notes.ts"

interface Asked {
  resolve(told: Told): void
  reject(error: HeadwaterError): void
}

export class Far implements Line {
  readonly heartbeat: number
  readonly isFar: boolean = true
  ended: HeadwaterError | undefined
  #tab: string
  #post: Post<Wanted>
  #next = 1
  #asked = new Map<number, Asked>()
  #followers = new Map<string, Follower>()

  constructor(tab: string, heartbeat: number, post: Post<Wanted>) {
    this.#tab = tab
    this.heartbeat = heartbeat
    this.#post = (note) => this.ended || post(note)
  }

  ask(message: object, raw?: string): Promise<Told> {
    if (this.ended) return Promise.reject(this.ended)
    const n = this.#next++
    return new Promise((resolve, reject) => {
      this.#asked.set(n, { resolve, reject })
      this.#post({ t: "ask", tab: this.#tab, n, text: JSON.stringify(message), raw })
    })
  }

  say(message: { t?: string }): void {
    // Its credit is the leader's own matter.
    if (message.t !== "ack") this.#post({ t: "say", tab: this.#tab, text: JSON.stringify(message) })
  }

  follow(follower: Follower, fields: Pick<Wish, "presence" | "envelope">): void {
    if (this.ended) return follower.lost(this.ended)
    this.#followers.set(follower.path, follower)
    this.#post({ t: "follow", tab: this.#tab, path: follower.path, live: fields.presence === true, envelope: fields.envelope === true })
  }

  leave(follower: Follower): void {
    if (this.#followers.get(follower.path) !== follower) return
    this.#followers.delete(follower.path)
    this.#post({ t: "leave", tab: this.#tab, path: follower.path })
  }

  /** The leader is another one, or does not answer. */
  close(why: HeadwaterError): void {
    if (this.ended) return
    this.ended = why
    const asked = [...this.#asked.values()]
    const followers = [...this.#followers.values()]
    this.#asked.clear()
    this.#followers.clear()
    for (const { reject } of asked) reject(why)
    for (const follower of followers) follower.lost(why)
  }

  hear(news: News): void {
    if (news.t === "answer") {
      const asked = news.tab === this.#tab ? this.#asked.get(news.n) : undefined
      if (!asked) return
      this.#asked.delete(news.n)
      if (news.error) asked.reject(errorAgain(news.error))
      else asked.resolve(news.told as Told)
      return
    }
    const follower = this.#followers.get(news.path)
    if (news.t === "told") return follower?.told(parse(news.text), news.text)
    this.#followers.delete(news.path)
    follower?.lost(errorAgain(news.error))
  }
}
