/**
 * Which tab has the socket: the one that holds a Web Lock.
 *
 * Rule 1: each reign has a term, higher than all before it. Of an older one nothing is heard.
 * Rule 2: when the leader ends, whatever way, the lock goes to the next tab, which goes on where it stands.
 * Rule 3: a leader that is not heard for 1.2 heartbeats, nor for a second when it is asked, is robbed; by a tab that is seen, for
 *         timers of hidden ones lie. Timers tell no tab that another one lives: what the server says does.
 * Rule 4: a leader that itself said nothing for nearly so long may have been robbed, and sends nothing more: it lets go, and queues
 *         again.
 * Rule 5: a page that is put aside holds no lock, no socket and no channel.
 */

import { type ConnectionState, type Host, MOVED, type Place, type Role } from "../connection/share.ts"
import type { Line } from "../connection/session.ts"
import { HeadwaterError, stopped } from "../errors.ts"
import { load, loaded } from "../lazy.ts"
import { Far } from "./far.ts"
import type { Leader } from "./leader.ts"
import type { News, Note, Post, Wanted } from "./notes.ts"

/** What of the platform tabs use. */
export interface Platform {
  locks: Pick<LockManager, "request">
  channel(name: string): Pick<BroadcastChannel, "postMessage" | "close"> & { onmessage: ((event: MessageEvent) => void) | null }
  /** Where the last term is kept; it may throw. */
  terms(): Pick<Storage, "getItem" | "setItem">
}

const BEAT_MS = 15_000
const PATIENCE_BEATS = 1.2
const ANSWER_MS = 1000
/** Of those, the least that somebody waits. */
const LEAST = 0.7
/** Beats after which it is told again that the leader is there, where something shows that it is. */
const FRESH_BEATS = 0.1

const moved = (): HeadwaterError => new HeadwaterError("network", "another tab has the connection now", MOVED)

const closed = (): HeadwaterError => stopped("the connection was closed")

/** What this tab does for the others, once it was loaded. */
function reignOf(host: Host, post: Post<News>, gone: (tab: string, call: () => void) => void): Pick<Leader, "hear" | "end"> {
  const { environment, retry, signal, parts } = host
  const loading = loaded(environment, retry, signal, () => load(parts.connectionLeader))
  let heard: Wanted[] = []
  let leader: Leader | undefined
  let isOver = false
  return {
    hear(wanted) {
      if (leader) return leader.hear(wanted)
      if (heard.push(wanted) > 1) return
      loading().then(
        ({ Leader }) => {
          if (isOver) return
          leader = new Leader(host, post, gone)
          for (const each of heard) leader.hear(each)
        },
        () => (heard = []),
      )
    },
    end() {
      isOver = true
      leader?.end()
    },
  }
}

export class Tab implements Place {
  role: Role | undefined
  #host: Host
  #name: string
  #tab: string
  #platform: Platform
  #channel: ReturnType<Platform["channel"]> | undefined
  #leader: Pick<Leader, "hear" | "end"> | undefined
  #far: Far | undefined
  #term = 0
  #state: ConnectionState = "connecting"
  #beat = BEAT_MS
  #heard = 0
  /** When this tab said last that it leads. */
  #said = 0
  /** Of this tab's part in the election: aborted when it takes none any more. */
  #part = new AbortController()
  #queued = new AbortController()
  #release: (() => void) | undefined
  #waiting: (() => void)[] = []
  #disarm: (() => void) | undefined
  #unwatch: () => void
  #isOver = false
  #since = Date.now()

  constructor(host: Host, name: string, tab: string, platform: Platform) {
    this.#host = host
    this.#name = name
    this.#tab = tab
    this.#platform = platform
    this.#unwatch = host.environment.watch((change) => {
      if (change === "freeze") this.#partFrom(moved())
      else if (change === "resume" && this.#part.signal.aborted) this.#join()
      else if (change === "visible") this.#look()
    })
    this.#join()
  }

  get state(): ConnectionState {
    return this.#state
  }

  async line(own: () => Promise<Line>, signal?: AbortSignal): Promise<Line> {
    for (;;) {
      const far = await this.#way(signal)
      if (far) return far
      if (this.stale()) continue
      try {
        return await own()
      } catch (error) {
        if (!(error as HeadwaterError).facts?.moved) throw error
        signal?.throwIfAborted()
      }
    }
  }

  /** To the leader; undefined: this tab has the socket. */
  async #way(signal?: AbortSignal): Promise<Line | undefined> {
    while (!this.role) {
      if (this.#isOver || signal?.aborted) throw closed()
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        signal?.addEventListener("abort", () => resolve(), { once: true })
      })
    }
    if (this.role !== "follower") return undefined
    if (!this.#far || this.#far.ended) {
      const term = this.#term
      this.#far = new Far(this.#tab, this.#beat, (note) => this.#post({ ...note, term }))
    }
    return this.#far
  }

  stale(): boolean {
    // Nobody robs a leader of whom so little time ago something was heard.
    const most = this.#beat * PATIENCE_BEATS + ANSWER_MS * LEAST * 0.9
    if (!this.#leader || this.#host.environment.now() - this.#said <= most) return false
    this.#partFrom(moved())
    this.#join()
    return true
  }

  beat(): void {
    if (this.#host.environment.now() - this.#said >= this.#beat * FRESH_BEATS) this.#lead()
  }

  changed(): void {
    this.#lead()
  }

  reconnect(): void {
    if (this.role === "follower") this.#post({ t: "reconnect", tab: this.#tab, term: this.#term })
  }

  signOut(): void {
    this.#post({ t: "out" })
    this.#keep("/out", Date.now())
  }

  leave(): void {
    this.#isOver = true
    this.#unwatch()
    this.#partFrom(closed())
  }

  // The election

  #join(): void {
    if (this.#isOver) return
    const { signal } = (this.#part = new AbortController())
    // Held as long as this tab lives: the leader queues for it, and so this tab has it before it says anything.
    const alive = (): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        signal.addEventListener("abort", () => resolve())
        this.#begin()
      })
    this.#platform.locks.request(this.#life(this.#tab), { signal }, alive).catch((error: Error) => {
      // Opaque origins have no locks.
      if (!signal.aborted && error.name !== "AbortError") this.#become("alone")
    })
  }

  #begin(): void {
    // Told while this page was put aside, and heard nothing.
    if (this.#kept("/out") >= this.#since) return this.#host.signedOut()
    this.#channel = this.#platform.channel(this.#name)
    this.#channel.onmessage = ({ data }) => this.#hear(data as Note)
    this.#heard = this.#host.environment.now()
    this.#queue()
    this.#post({ t: "who" })
  }

  #life(tab: string): string {
    return `${this.#name}/${tab}`
  }

  #queue(): void {
    this.#queued = new AbortController()
    this.#request({ signal: this.#queued.signal })
    this.#look()
  }

  #request(options: LockOptions): void {
    const { signal } = this.#part
    let isGranted = false
    const granted = (): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        isGranted = true
        this.#release = resolve
        this.#reign()
      })
    this.#platform.locks.request(this.#name, options, granted).catch(() => {
      // Robbed.
      if (!isGranted || signal.aborted) return
      this.#dethrone()
      this.#queue()
    })
  }

  #reign(): void {
    this.#term = this.#nextTerm()
    const { signal } = this.#part
    this.#said = this.#host.environment.now()
    const term = this.#term
    const gone = (tab: string, call: () => void): void => {
      this.#platform.locks.request(this.#life(tab), { signal }, call).catch(() => undefined)
    }
    this.#leader = reignOf(this.#host, (news) => this.#post({ ...news, term }), gone)
    this.#become("leader")
    this.#lead()
  }

  /** A clock that was put back is no reason to be lower than a term that somebody has heard of. */
  #nextTerm(): number {
    const next = Math.max(this.#term + 1, Date.now(), this.#kept("") + 1)
    this.#keep("", next)
    return next
  }

  #kept(what: string): number {
    try {
      return Number(this.#platform.terms().getItem(this.#name + what))
    } catch {
      // Workers have no storage, and some pages may not use it.
      return 0
    }
  }

  #keep(what: string, value: number): void {
    try {
      this.#platform.terms().setItem(this.#name + what, String(value))
    } catch {
      // See above.
    }
  }

  /** The lock is another one's, or is let go. */
  #dethrone(): void {
    if (!this.#leader) return
    this.#leader.end()
    this.#leader = undefined
    this.role = undefined
    this.#host.moved(moved())
    this.#release?.()
  }

  #partFrom(why: HeadwaterError): void {
    this.#part.abort()
    this.#queued.abort()
    this.#dethrone()
    this.#disarm?.()
    this.role = undefined
    this.#far?.close(why)
    this.#channel?.close()
    this.#channel = undefined
    if (this.#isOver) this.#wake()
    this.#host.changed()
  }

  #become(role: Role): void {
    this.role = role
    const far = this.#far
    this.#far = undefined
    far?.close(moved())
    this.#wake()
    this.#look()
    this.#host.changed()
  }

  #wake(): void {
    for (const call of this.#waiting.splice(0)) call()
  }

  // What tabs tell each other

  #post(note: Note): void {
    this.#channel?.postMessage(note)
  }

  #lead(): void {
    if (!this.#leader || this.stale()) return
    const { environment, self, sessions } = this.#host
    this.#beat = [...sessions].at(-1)?.heartbeat || this.#beat
    this.#said = environment.now()
    this.#post({ t: "lead", term: this.#term, state: self.state, heartbeat: this.#beat })
  }

  #hear(note: Note): void {
    if (note.t === "out") return this.#host.signedOut()
    if (note.t === "who") return this.#lead()
    if (note.term < this.#term) return
    if (note.t === "lead") this.#follow(note)
    if (note.term !== this.#term) return
    if (note.t === "answer" || note.t === "told" || note.t === "lost") this.#far?.hear(note)
    else if (note.t !== "lead") return this.#leader?.hear(note)
    this.#heard = this.#host.environment.now()
  }

  #follow({ term, state, heartbeat }: Extract<Note, { t: "lead" }>): void {
    const isNew = term > this.#term || !this.role
    if (term === this.#term && this.#leader) return
    this.#term = term
    this.#state = state
    this.#beat = heartbeat
    if (!isNew) return this.#host.changed()
    // The lock is not this tab's any more, which it is about to be told.
    this.#dethrone()
    this.#become("follower")
    // For the moment when it is this one's turn, which is no time to load something.
    load(this.#host.parts.connectionLeader).catch(() => undefined)
  }

  /** Whether the leader is there. */
  #look(): void {
    this.#disarm?.()
    if (!this.#channel || this.role === "leader" || this.role === "alone") return
    const { environment } = this.#host
    const most = this.#beat * PATIENCE_BEATS
    const quiet = (): number => {
      // A clock may be put back.
      this.#heard = Math.min(this.#heard, environment.now())
      return environment.now() - this.#heard
    }
    if (quiet() < most) this.#disarm = environment.timer(most - quiet(), () => this.#look())
    else if (!environment.hidden()) {
      this.#post({ t: "who" })
      // Not all of those who doubt at the same time.
      this.#disarm = environment.timer(ANSWER_MS * (LEAST + (1 - LEAST) * environment.random()), () => {
        if (quiet() >= most) this.#steal()
        this.#look()
      })
    } else this.#disarm = environment.timer(most, () => this.#look())
  }

  #steal(): void {
    this.#queued.abort()
    this.#heard = this.#host.environment.now()
    this.#request({ steal: true })
  }
}
