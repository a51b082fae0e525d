/**
 * The seam between a reader and what carries its stream.
 *
 * A transport makes one attempt: it opens at an offset and tells what comes, pulled one by one, so that whoever does
 * not pull makes the socket wait. It never tries again and never waits between attempts: that is the reader's.
 */

import type { CodecOption } from "./codec.ts"
import type { Environment } from "./environment.ts"
import type { HeadwaterError } from "./errors.ts"
import type { Parts } from "./lazy.ts"
import type { Raw } from "./records.ts"
import type { Fields, Requester } from "./request.ts"
import type { Retry } from "./retry.ts"

/** A position: opaque; compare as text, never compute with it. */
export type Offset = string

/** What a slow reader gets. */
export type Slow = "replay" | "latest" | "disconnect" | `conflate:${string}`

/** One attempt of a reader. */
export interface Attempt {
  /** An offset, `start` or `now`. */
  readonly from: Offset
  /** So many of the newest records, in place of `from`. */
  readonly last: number | undefined
  /** Whether to wait at the tail for what comes. */
  readonly live: boolean
  readonly slow?: Slow | undefined
  /** Whether a stream that is not there is waited for. */
  readonly missing?: "throw" | "wait" | undefined
  /** Records come with what is known of them, where the transport can. */
  readonly envelope?: boolean | undefined
  /** The stream's content type, where it is known. */
  readonly type?: string | undefined
  readonly codec?: CodecOption
  /** Bytes that may be held for a consumer that does not pull; see `BUFFER`. */
  readonly buffer?: number | undefined
  readonly retry: Retry
  /** Milliseconds until the first byte behind the head, where there is another transport to turn to. */
  readonly first: number | undefined
  readonly environment: Environment
  /** Ends the attempt. */
  readonly signal: AbortSignal
  /** What is loaded when it is first wanted. */
  readonly parts: Parts
  /** A request is sent: for the pace. An attempt of several requests says so for each. */
  sent(): void
}

/** Who somebody is, as a proof says. Two issuers that call somebody the same mean two. */
export interface Principal {
  readonly subject: string
  /** Undefined: the application's own. */
  readonly issuer?: string
}

/** What an envelope tells of a record. */
export interface Known {
  /** When it was appended, in seconds since the Unix epoch. */
  readonly at?: number | undefined
  /** Who appended it; undefined: the server does not know. */
  readonly by?: Principal | undefined
}

export interface WireRecord {
  /** Where it came in an envelope. */
  readonly known?: Known | undefined
  readonly raw: Raw
  /** The value, where the transport had to parse it anyhow. */
  readonly value?: unknown
  /** Where a reader goes on that has had this record; undefined: where its batch is told as one, and had again as one. */
  readonly offset?: Offset
}

/** What an attempt tells. What the server says beside records is told in the protocol's own words; see `controlOf`. */
export type Wire =
  /** The head came. */
  | { kind: "open"; type?: string }
  /** Records, in order, and where the reader stands behind them. */
  | { kind: "records"; records: WireRecord[]; offset: Offset; upToDate: boolean }
  /** There is no more up to this offset, for now. */
  | { kind: "up-to-date"; offset?: Offset }
  /** Something came that says nothing; so does what is not known. */
  | { kind: "beat" }
  /** Nothing came for a moment, on a transport that does not say where the tail is. */
  | { kind: "quiet" }
  /** Records are left out; `offset` is where to come back. */
  | { kind: "stream-gap"; from: Offset; to: Offset; offset: Offset; reason?: string | undefined }
  /** The stream is not there yet. */
  | { kind: "stream-waiting" }
  /** It is now. */
  | { kind: "stream-created"; type?: string }
  /** For those who asked. */
  | { kind: "stream-signal" | "stream-presence"; data: unknown }
  /** The end of the stream. */
  | { kind: "stream-closed"; offset?: Offset }
  | { kind: "stream-failed"; offset?: Offset; code?: string; message?: string }
  /** The end of the attempt: planned, or with a time of one's own to come back, in seconds. */
  | { kind: "stream-detached"; retry_after?: number; reason?: string | undefined }
  /** The end of the attempt, by an error that the server told. */
  | { kind: "stream-error"; data: HeadwaterError | Record<string, unknown> }

export interface Transport {
  readonly name: string
  /** Throws a HeadwaterError when it cannot be opened, is lost, or is not what it should be. */
  open(attempt: Attempt): AsyncIterable<Wire>
}

/** The transports that the core has, and those that another import brings. */
export type TransportName = "auto" | "sse" | "ndjson" | "long-poll" | "live-sse" | "websocket" | "eventsource"

/** A transport of another import, for one URL. */
export type TransportFactory = (requester: Requester, url: string) => Transport

export type TransportChoice = TransportName | TransportFactory

/** What a write is answered. */
export interface Written {
  offset: Offset
}

/** One append, a closure, or both; with a producer it may be sent again. */
export interface Write {
  body: Uint8Array | undefined
  type: string | undefined
  producer: readonly [id: string, epoch: number, seq: number] | undefined
  close?: boolean
  /** Why it is not complete, of one that closes. */
  fail?: { code: string; message: string | undefined }
  create?: Fields | undefined
}

/** What of a stream is known without reading it. */
export interface Info {
  /** The content type. */
  type: string
  /** The tail. */
  offset: Offset
  /** The first record still kept. */
  earliest: Offset | undefined
  closed: boolean
  /** Why it ended before it was complete, if it did. */
  failure: { code: string; message: string } | undefined
  ttl: number | undefined
  expiresAt: Date | undefined
  retention: string | undefined
  slow: string | undefined
  etag: string | undefined
}

/** What writes to one stream, and asks about it. Nothing here tries again. */
export interface Writes {
  write(write: Write, signal?: AbortSignal): Promise<Written>
  create(headers: Fields, body: Uint8Array | undefined, signal?: AbortSignal): Promise<Info>
  head(signal?: AbortSignal): Promise<Info | null>
  delete(signal?: AbortSignal): Promise<void>
  /** The door of another stream of the same server. */
  sibling(url: string): Door
}

/** The way to one stream: by HTTP, or on a connection. Nothing here tries again. */
export interface Door {
  readonly url: string
  /** The transports of these names, the preferred first. `envelope`: those that tell what is known of records, where they can. */
  transports(wanted: readonly TransportChoice[], type: string | undefined, live: boolean, envelope?: boolean): Transport[]
  /** What writes; it may have to be loaded. */
  writes(): Promise<Writes>
  /** By which it can be asked whether it answers at all, where there are several transports to choose from. */
  readonly requester?: Requester
  /** What only connections have: messages that are not stored, and who is there. */
  readonly live?: LiveDoor
}

export interface Signal {
  from: string | undefined
  to: string | undefined
  topic: string | undefined
  /** Who sent it, where that is proven; else `from` is what a client says. */
  readonly by?: Principal | undefined
  data: unknown
}

export interface Member {
  id: string
  state: unknown
}

/** Who is at a stream, and this client among them. */
export interface Presence extends AsyncIterable<readonly Member[]> {
  /** Empty where there are too many for a list: above `presence_listed` of the server, which is 500. */
  readonly members: readonly Member[]
  /** How many are there, also where they are not listed. */
  readonly count: number
  /** Changes this client's own state. */
  set(state: unknown): void
  leave(): void
}

/** What only connections have. */
export interface LiveDoor {
  /** Tells the live readers something that is not stored. */
  signal(data: unknown, options?: SignalOptions): void
  /** What others tell so. */
  signals(): AsyncIterable<Signal>
  /** Who is there, this client included if it says a state. */
  presence(state?: unknown): Presence
}

export interface SignalOptions {
  to?: string
  topic?: string
  /** Seconds for which readers that come later are told it, too. */
  keep?: number
}
