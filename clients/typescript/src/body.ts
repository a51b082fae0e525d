/** The body of a live answer, pulled: what is not asked for stays in the socket. */

import type { Change, Environment } from "./environment.ts"
import { HeadwaterError } from "./errors.ts"
import { type Answer, networkError } from "./request.ts"

/** A timer that fires this late, in ms, was asleep with the machine: it says "look", not "dead". */
const ASLEEP = 1000
/** Milliseconds to hear something then, or when the page comes back. */
const GRACE = 3000
/** 1.2 heartbeats, of a limit of two and a half. */
const MISSED = 0.48

export interface BodyLimits {
  /** Milliseconds without a byte, after which the connection is dead. */
  silence: number
  /** Milliseconds until the first byte; undefined: no other limit. */
  first?: number | undefined
}

/** The silence of a server that tells no heartbeat: two and a half of the usual 15 s. */
const SILENCE = 37_500

/** Milliseconds of silence: as told by the caller, else by the server's heartbeat. */
export function silenceOf(own: number, heartbeat: number | undefined): number {
  return own || (heartbeat ? 2.5 * heartbeat : SILENCE)
}

/** `Stream-Heartbeat` in milliseconds. */
export function heartbeatOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get("stream-heartbeat"))
  return seconds > 0 ? seconds * 1000 : undefined
}

export class Body {
  #answer: Answer
  #environment: Environment
  #limits: BodyLimits
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #unwatch: () => void
  #began = 0
  #reading = false
  #first = true

  constructor(answer: Answer, environment: Environment, limits: BodyLimits) {
    this.#answer = answer
    this.#environment = environment
    this.#limits = limits
    this.#reader = answer.response.body?.getReader()
    // A `fetch` of the caller's own need not know signals.
    answer.signal.addEventListener("abort", () => void this.#reader?.cancel().catch(() => undefined), { once: true })
    this.#unwatch = environment.watch((change) => this.#changed(change))
  }

  /** The next bytes; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (!this.#reader) return undefined
    this.#began = this.#environment.now()
    this.#reading = true
    const disarm = this.#arm((this.#first && this.#limits.first) || this.#limits.silence)
    try {
      const { value, done } = await this.#reader.read()
      this.#first = false
      const why = this.#answer.why()
      if (why) throw why
      return done ? undefined : value
    } catch (error) {
      throw this.#answer.why() ?? networkError(error)
    } finally {
      this.#reading = false
      disarm()
    }
  }

  /** Nothing more is read. */
  release(): void {
    this.#unwatch()
    this.#answer.release()
  }

  #changed(change: Change): void {
    if (change === "freeze") this.#answer.abort(new HeadwaterError("network", "the page is put away"))
    // A network that is back tells nothing about this connection; a beat that is missing does.
    const quiet = this.#environment.now() - this.#began
    if (this.#reading && change !== "hidden" && change !== "offline" && quiet > this.#limits.silence * MISSED) this.#dead(quiet)
  }

  #arm(ms: number): () => void {
    const due = this.#began + ms
    let disarm = this.#environment.timer(ms, () => {
      const now = this.#environment.now()
      if (now - due < ASLEEP) this.#dead(now - this.#began)
      else disarm = this.#environment.timer(GRACE, () => this.#dead(this.#environment.now() - this.#began))
    })
    return () => disarm()
  }

  #dead(ms: number): void {
    const facts = { first: this.#first }
    this.#answer.abort(new HeadwaterError("silent", `nothing came for ${Math.round(ms)} ms`, { facts }))
  }
}
