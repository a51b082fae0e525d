/**
 * Streams in components of React 18 and later: `import { useStream } from "headwater/react"`.
 *
 * Rule 1: rendering asks for nothing, on a server or in a page. What is asked for begins when a component is mounted.
 * Rule 2: records that come fast are shown together, once a frame.
 * Rule 3: an error is given, not thrown.
 */

import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react"
import type { Connection } from "./connection.ts"
import type { ConnectionState } from "./connection/share.ts"
import type { HeadwaterError } from "./errors.ts"
import { type UseConnectionOptions, connectionBy, entryOf, hold, nameOf } from "./react/connections.ts"
import { type Attended, NOBODY, membersOf } from "./react/members.ts"
import { type Named, Reading, type StreamView, type UseStreamOptions } from "./react/reading.ts"
import type { Member } from "./transport.ts"

const nothing = (): (() => void) => () => undefined

/**
 * Reads a stream while the component is mounted. Another URL is another stream, and begins anew; null is none yet. A component that
 * comes back (StrictMode, `<Activity>`, `enabled`) goes on behind what it has.
 */
export function useStream<T = unknown, V = undefined>(of: Named<T>, options: UseStreamOptions<T, V> = {}): StreamView<T, V> {
  const [held, replace] = useState(() => new Reading<T, V>(of, options))
  let reading = held
  if (!held.isOf(of, options)) {
    reading = new Reading(of, options)
    replace(reading)
  }
  useEffect(() => {
    reading.options = options
  })
  return useSyncExternalStore(of && options.enabled !== false ? reading.subscribe : nothing, reading.shown, reading.initial)
}

/** The connection to the streams below a URL that all components share who ask for it, closed a second after the last one has left. */
export function useConnection(url: string | URL, options: UseConnectionOptions = {}): Connection {
  const name = nameOf(url, options)
  const latest = useRef(options)
  const alone = useRef<Connection>(undefined)
  useEffect(() => {
    latest.current = options
    entryOf(name, url, options).options = options
  })
  const get = (): Connection => entryOf(name, url, options).connection
  // A server renders for many users: nothing is shared there, and nothing is left behind.
  const onServer = (): Connection => ("document" in globalThis ? get() : (alone.current ??= connectionBy(url, options, () => options)))
  const subscribe = useCallback(() => hold(name, entryOf(name, url, latest.current)), [name])
  return useSyncExternalStore(subscribe, get, onServer)
}

/** What a connection is doing. */
export function useConnectionState(connection: Connection): ConnectionState {
  const subscribe = useCallback((changed: () => void) => connection.on("state", changed), [connection])
  return useSyncExternalStore(subscribe, () => connection.state, () => "idle")
}

export interface PresenceView<S> {
  /** Empty where there are too many for a list; see `count`. */
  readonly members: readonly (Member & { readonly state: S })[]
  /** How many are there, also where the server lists them no more: above 500. */
  readonly count: number
  /** Says another state; null: is no member any more, and looks on. */
  readonly set: (state: S | null) => void
  /** Such as `unsupported`, of a stream that is not a connection's. */
  readonly error: HeadwaterError | null
}

/**
 * Who is at a stream of a connection. With a state this page is a member while the component is mounted; without one it looks on.
 * Another state than in the render before is said to the others.
 */
export function usePresence<S = unknown>(stream: Attended | null | undefined, state?: S): PresenceView<S> {
  const members = stream ? membersOf(stream) : undefined
  const [who] = useState(() => ({}))
  const said = JSON.stringify(state)
  // Before the list is asked for, so that it begins with this one in it.
  useEffect(() => {
    if (said !== undefined) members?.say(who, state)
    return () => members?.say(who, null)
  }, [members, who, said])
  const roster = useSyncExternalStore(members?.subscribe ?? nothing, members?.shown ?? nobody, nobody)
  const set = useCallback((to: S | null) => members?.say(who, to), [members, who])
  return useMemo(() => ({ ...roster, set }) as PresenceView<S>, [roster, set])
}

const nobody = (): typeof NOBODY => NOBODY

export type { UseConnectionOptions } from "./react/connections.ts"
export type { StreamView, UseStreamOptions } from "./react/reading.ts"
