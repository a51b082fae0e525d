/**
 * Which of several transports a reader uses, and when it turns to the next.
 *
 * Rule 1: three answers that are not what was asked for, or three that end within a second and bring nothing, or a head
 * behind which nothing comes, or no head at all while HEAD is answered: the next transport.
 * Rule 2: a server of the Durable Streams Protocol alone, which answers a plain read whatever is accepted, is read by
 * that protocol's own transports.
 * Rule 3: what was found out holds for the origin for half an hour; then the first one is tried again.
 */

import type { HeadwaterError } from "../errors.ts"
import type { Door, Transport, TransportChoice } from "../transport.ts"

const REMEMBERED = 30 * 60_000
const FIRST_BYTE = 3000
const TRIES = 3
const KEY = "headwater:transport:"

/** Beside the page's session, which may be closed to it, and which workers and Node have not. */
const known = new Map<string, number>()

type Session = { getItem(key: string): string | null; setItem(key: string, value: string): void } | undefined

function session(): Session {
  try {
    return (globalThis as { sessionStorage?: Session }).sessionStorage
  } catch {
    return undefined
  }
}

function remember(origin: string, until: number): void {
  known.set(origin, until)
  try {
    session()?.setItem(KEY + origin, String(until))
  } catch {
    // A full or closed storage: this page remembers, the next one asks again.
  }
}

const rememberedUntil = (origin: string): number => known.get(origin) ?? Number(session()?.getItem(KEY + origin) ?? 0)

/** Forgets what was found out; for tests. */
export const forget = (): void => known.clear()

export class Choice {
  #door: Door
  #wanted: readonly TransportChoice[]
  #live: boolean
  #list: Transport[]
  #auto: boolean
  #index = 0
  #bad = 0
  #quick = 0
  #until = 0

  constructor(door: Door, wanted: readonly TransportChoice[], type: string | undefined, live: boolean, now: number) {
    this.#door = door
    this.#wanted = wanted
    this.#live = live
    this.#auto = wanted.length === 1 && wanted[0] === "auto"
    this.#list = door.transports(wanted, type, live)
    const until = rememberedUntil(door.origin)
    if (this.#auto && until > now) this.#move(until)
  }

  /** The one to use now. */
  current(now: number): Transport {
    if (this.#until && now >= this.#until) {
      this.#index = 0
      this.#until = 0
    }
    const transport = this.#list[this.#index]
    if (!transport) throw new RangeError("no transport")
    return transport
  }

  /** Milliseconds until the first byte, where there is another one to turn to. */
  get first(): number | undefined {
    return this.#index + 1 < this.#list.length ? FIRST_BYTE : undefined
  }

  /** Looks at how an attempt ended, and moves if it must; false: there is none left. */
  async after(error: HeadwaterError, up: number, brought: boolean, now: number): Promise<boolean> {
    const bad = error.code === "bad-answer"
    this.#bad = bad ? this.#bad + 1 : 0
    this.#quick = !brought && error.code === "truncated" && up < 1000 ? this.#quick + 1 : 0
    if (bad && error.facts.protocol && this.#auto && this.#foreign()) return true
    const more = this.#index + 1 < this.#list.length
    if (bad && this.#bad >= TRIES && !more) return false
    if (more && ((await this.#hung(error)) || this.#bad >= TRIES || this.#quick >= TRIES)) {
      this.#move(now + REMEMBERED)
      if (this.#auto) remember(this.#door.origin, this.#until)
    }
    return true
  }

  #move(until: number): void {
    this.#index = this.#list.length - 1
    this.#until = until
    this.#bad = 0
    this.#quick = 0
  }

  #foreign(): boolean {
    const names = this.#live ? (["live-sse", "long-poll"] as const) : (["long-poll"] as const)
    if (this.#list[0]?.name === names[0]) return false
    this.#list = this.#door.transports(names, undefined, this.#live)
    this.#index = 0
    this.#bad = 0
    return true
  }

  async #hung(error: HeadwaterError): Promise<boolean> {
    if (error.code === "silent") return error.facts.first === true
    if (error.code !== "connect-timeout" || this.#wanted.length !== 1) return false
    return this.#door.answers()
  }
}
