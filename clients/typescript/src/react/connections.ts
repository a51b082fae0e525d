/**
 * The connections of a page by their URL.
 *
 * Rule 1: components that ask for the same URL have the same one, and so have those that are mounted twice.
 * Rule 2: it is closed a second after the last one has left, so that a page which turns to another view keeps it.
 * Rule 3: another token does not replace it; it is what the next socket shows.
 */

import { type Connection, type ConnectionOptions, connect } from "../connection.ts"
import { platform } from "../environment.ts"

export interface UseConnectionOptions extends Omit<ConnectionOptions, "signal"> {
  /** Whose it is, such as the user's id: components that say another one have another connection. */
  key?: string
}

const LINGER_MS = 1000

interface Entry {
  readonly connection: Connection
  /** Those of the last render. */
  options: UseConnectionOptions
  holders: number
  disarm: () => void
}

const entries = /* @__PURE__ */ new Map<string, Entry>()

export const nameOf = (url: string | URL, { key = "" }: UseConnectionOptions): string => JSON.stringify([key, String(url)])

/** A connection whose options are those of the last render. */
export function connectionBy(url: string | URL, options: UseConnectionOptions, latest: () => UseConnectionOptions): Connection {
  if (options.token === undefined) return connect(url, options)
  return connect(url, {
    ...options,
    token: () => {
      const { token = "" } = latest()
      return typeof token === "function" ? token() : token
    },
  })
}

function linger(name: string, entry: Entry): void {
  const { environment = platform } = entry.options
  entry.disarm = environment.timer(LINGER_MS, () => {
    if (entries.get(name) === entry) entries.delete(name)
    entry.connection.close()
  })
}

/** The one of this name. There is no socket until something is asked of it, so that to render makes none. */
export function entryOf(name: string, url: string | URL, options: UseConnectionOptions): Entry {
  const found = entries.get(name)
  // Of one that was signed out, those that are mounted are told the end; who comes later has another one.
  if (found && (found.holders || found.connection.state !== "closed")) return found
  found?.disarm()
  const entry: Entry = { connection: connectionBy(url, options, () => entry.options), options, holders: 0, disarm: () => undefined }
  entries.set(name, entry)
  linger(name, entry)
  return entry
}

/** Keeps it; gives what ends that. */
export function hold(name: string, entry: Entry): () => void {
  entry.holders += 1
  entry.disarm()
  return () => {
    entry.holders -= 1
    if (!entry.holders) linger(name, entry)
  }
}
