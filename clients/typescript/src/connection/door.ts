/** The way to a stream on a connection. */

import { HeadwaterError } from "../errors.ts"
import { type Parts, load } from "../lazy.ts"
import { absolute } from "../request.ts"
import type { Door } from "../transport.ts"
import { overConnection } from "./cursor.ts"
import type { Feed, Lines } from "./feed.ts"
import type { Live } from "./live.ts"
import type { Ask } from "./writes.ts"

/** What of a connection is loaded when it is first wanted, too. */
export interface ConnectionParts extends Parts {
  connectionWrites(): Promise<typeof import("./writes.ts")>
}

/** What a connection has of each stream. */
export interface Streams extends Lines {
  readonly parts: ConnectionParts
  feed(path: string): Feed
  live(path: string): Live
}

/** The door of a path below the root, which is asked for late, so that a stream can be named where there is no page yet. */
export function connectionDoor(root: () => URL, path: string, streams: Streams): Door {
  const url = (): string => new URL(path.split("/").map(encodeURIComponent).join("/"), root()).href

  const ask: Ask = async (t, fields, signal, raw) => {
    const line = await streams.line(undefined, signal)
    return line.ask({ t, path, ...fields }, raw)
  }

  return {
    get url() {
      return url()
    },
    live: streams.live(path).door,
    transports: (wanted) =>
      wanted.map((each) => {
        if (each === "auto" || each === "websocket") return overConnection(() => streams.feed(path), streams)
        throw new HeadwaterError("unsupported", `a connection reads over its WebSocket, not by ${String(each)}: use stream(url)`)
      }),
    writes: async () => (await load(streams.parts.connectionWrites)).connectionWrites(ask, root, url, streams),
  }
}

/** The root's URL, with a slash at its end. */
export function rootOf(url: string | URL): URL {
  const root = absolute(url)
  root.protocol = root.protocol.replace(/^ws/, "http")
  root.pathname = root.pathname.replace(/-\/connect$/, "").replace(/\/?$/, "/")
  root.search = root.hash = ""
  return root
}
