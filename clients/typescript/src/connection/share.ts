/** What a connection and the tabs that share it have to do with each other; `headwater/tabs` makes a `Share`. */

import type { HeadwaterError } from "../errors.ts"
import type { Streams } from "./door.ts"
import type { Connection } from "../connection.ts"
import type { Line, Session } from "./session.ts"

/** `draining`: the server stops, and what is under way is answered. `waiting` and `offline`: until `retryAt`. */
export type ConnectionState = "idle" | "connecting" | "live" | "draining" | "waiting" | "offline" | "closed"

/** Who has the socket: this tab for itself, this one for all, or another one. */
export type Role = "alone" | "leader" | "follower"

/** A tab's connection, as its place among the tabs sees it. */
export interface Host extends Streams {
  readonly self: Pick<Connection, "state" | "reconnect">
  /** Those of this tab, the newest last. */
  readonly sessions: ReadonlySet<Pick<Session, "heartbeat">>
  /** This tab has no socket any more. */
  moved(why: HeadwaterError): void
  /** The user has left, in another tab. */
  signedOut(): void
  /** Something of the place is different. */
  changed(): void
}

/** A tab's place among the tabs. */
export interface Place {
  /** Undefined: it is not known yet. */
  readonly role: Role | undefined
  /** The leader's, of a follower. */
  readonly state: ConnectionState
  /** The way to the leader, or what is of this tab's `own`, if it has the socket. */
  line(own: () => Promise<Line>, signal?: AbortSignal): Promise<Line>
  /** Whether it was the leader, and may not be any more. */
  stale(): boolean
  /** The server is there. */
  beat(): void
  /** The connection's state is another one. */
  changed(): void
  /** Of a follower: asks the leader to. */
  reconnect(): void
  /** Tells all tabs that the user leaves. */
  signOut(): void
  leave(): void
}

/** Undefined: here tabs cannot find each other. */
export type Share = (host: Host) => Place | undefined

/** Another tab has the socket; who reads goes on there. */
export const MOVED = { facts: { moved: true } }
