/**
 * What tabs tell each other, on a channel that all of a name hear.
 *
 * Rule: whatever is of a term is heard in that term alone. No token is ever told: all pages of an origin can hear.
 */

import type { ConnectionState } from "../connection/share.ts"
import type { Told } from "../connection/messages.ts"
import type { PlainError } from "../errors.ts"

/** To the leader. */
export type Wanted =
  /** A message for the server, as JSON; `raw`: JSON text that becomes its field `r`. */
  | { t: "ask"; tab: string; n: number; text: string; raw: string | undefined }
  | { t: "say"; tab: string; text: string }
  | { t: "follow"; tab: string; path: string; live: boolean; envelope?: boolean }
  | { t: "leave"; tab: string; path: string }
  | { t: "reconnect"; tab: string }

/** From the leader. */
export type News =
  | { t: "answer"; tab: string; n: number; told?: Told; error?: PlainError }
  | { t: "told"; path: string; text: string }
  | { t: "lost"; path: string; error: PlainError }

export type Note =
  /** Who leads? */
  | { t: "who" }
  | { t: "lead"; term: number; state: ConnectionState; heartbeat: number }
  /** The user leaves. */
  | { t: "out" }
  | ((Wanted | News) & { term: number })

export type Post<N> = (note: N) => void
