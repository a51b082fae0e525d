/**
 * One connection for all tabs of a user: `import { tabs } from "headwater/tabs"`, then `connect(url, { share: tabs({ user }) })`.
 *
 * Rule: the user is in the name by which tabs find each other. Another one in another tab shares nothing.
 */

import type { Share } from "./connection/share.ts"
import { HeadwaterError } from "./errors.ts"
import { name as chance } from "./chance.ts"
import { type Platform, Tab } from "./tabs/place.ts"

export interface TabsOptions {
  /** Whose connection it is: a name that no two users share. */
  user: string
  /** In place of the platform's locks, channels and storage; for tests. */
  platform?: Platform
}

function platformOf(): Platform | undefined {
  const { navigator, BroadcastChannel } = globalThis as Partial<typeof globalThis>
  const locks = navigator?.locks
  if (!locks || !BroadcastChannel) return undefined
  return { locks, channel: (name) => new BroadcastChannel(name), terms: () => localStorage }
}

/**
 * What a connection's `share` is: the tabs of a browser profile in which the same user has a connection to the same URL have one
 * socket together. Where there are no Web Locks or no BroadcastChannel, as on pages without TLS, each tab has its own.
 */
export function tabs(options: TabsOptions): Share {
  const { user, platform } = options
  if (!user) throw new HeadwaterError("bad-request", "tabs that share a connection have a user")
  return (host) => {
    const found = platform ?? platformOf()
    return found && new Tab(host, `headwater/1/${host.root.href}/${encodeURIComponent(user)}`, chance(), found)
  }
}

export type { Platform } from "./tabs/place.ts"
export type { Share } from "./connection/share.ts"
