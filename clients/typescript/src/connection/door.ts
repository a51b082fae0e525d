/** The way to a stream on a connection. */

import { HeadwaterError } from "../errors.ts"
import { type Parts, load, loaded } from "../lazy.ts"
import { absolute } from "../request.ts"
import type { Door, LiveDoor, Presence } from "../transport.ts"
import { overConnection } from "./cursor.ts"
import type { Feed, Lines } from "./feed.ts"
import type { Live } from "./live.ts"

export type Rest = typeof import("./rest.ts")

/** What of a connection is loaded when it is first wanted, too. */
export interface ConnectionParts extends Parts {
  connectionWrites(): Promise<typeof import("./writes.ts")>
  /** What reading on a connection needs now and then. */
  connectionRest(): Promise<Rest>
  /** What the tab with the socket does for the others. */
  connectionLeader(): Promise<typeof import("../tabs/leader.ts")>
}

/** What a connection has of each stream. */
export interface Streams extends Lines {
  /** Of the streams, with a slash at its end; asked for late, so that a stream can be named where there is no page yet. */
  readonly root: URL
  /** The connection is closed. */
  readonly signal: AbortSignal
  of(path: string): { readonly feed: Feed; readonly live: Lively }
}

/** Signals and members of a stream. */
export interface Lively {
  /** What a stream has of them. */
  readonly door: LiveDoor
  /** What there is to do for them, made by what is loaded. */
  of(rest: Rest): Live
}

export function livelyOf(path: string, streams: Streams): Lively {
  const { environment, retry, signal, parts } = streams
  let live: Live | undefined
  const loading = loaded(environment, retry, signal, async () => self.of(await load(parts.connectionRest)))
  const ignore = (): never[] => []

  /** What `begin` gives, before it can be. */
  const later = <P extends AsyncIterable<unknown>>(begin: (live: Live) => P): P => {
    if (live) return begin(live)
    let there: Presence | undefined
    const told = loading().then((it) => (there = begin(it) as unknown as Presence))
    const then = (call: (it: Presence) => void): void => (there ? call(there) : void told.then(call, ignore))
    return {
      get members() {
        return there?.members ?? []
      },
      get count() {
        return there?.count ?? 0
      },
      set: (to: unknown) => then((it) => it.set(to)),
      leave: () => then((it) => it.leave()),
      async *[Symbol.asyncIterator]() {
        yield* await told.catch(ignore)
      },
    } as unknown as P
  }

  const self: Lively = {
    of: ({ Live }) => (live ??= new Live(path, streams)),
    door: {
      signal: (...said) => void loading().then((it) => it.signal(...said), ignore),
      signals: () => later((it) => it.signals()),
      presence: (state) => later((it) => it.presence(state)),
    },
  }
  return self
}

/** The door of a path below the root. */
export function connectionDoor(path: string, streams: Streams): Door {
  return {
    get url() {
      return new URL(path.split("/").map(encodeURIComponent).join("/"), streams.root).href
    },
    live: streams.of(path).live.door,
    transports: (wanted) =>
      wanted.map((each) => {
        if (each === "auto" || each === "websocket") return overConnection(() => streams.of(path).feed, streams)
        throw new HeadwaterError("unsupported", `a connection does not read by ${String(each)}`)
      }),
    async writes() {
      return (await load(streams.parts.connectionWrites)).connectionWrites(path, this.url, streams)
    },
  }
}

/** The root's URL, with a slash at its end. */
export const rootOf = (url: string | URL): URL =>
  new URL(
    absolute(url)
      .href.replace(/^ws/, "http")
      .replace(/[?#].*/, "")
      .replace(/(\/-\/connect|\/)?$/, "/"),
  )
