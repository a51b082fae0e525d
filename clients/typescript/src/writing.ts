/** What writes to a stream, or changes it; loaded with the first write. */

import { name } from "./chance.ts"
import { type Codec, type CodecOption, codecOf } from "./codec.ts"
import { type HeadwaterError, causedBy } from "./errors.ts"
import { insist } from "./insist.ts"
import { type Encode, type Loaded, type ProducerOptions, type Sink, producerOf } from "./producer.ts"
import { bodyOf, plainEncode } from "./bodies.ts"
import { type Parts, load } from "./lazy.ts"
import { JSON_TYPE } from "./records.ts"
import type { Fields } from "./request.ts"
import type { CreateOptions, Stream } from "./stream.ts"
import type { Door, Info, Writes } from "./transport.ts"

export { httpWrites } from "./http-writes.ts"

/** What a writer needs of its stream. */
export interface Core<T> extends Sink {
  /** The content type, where it is known. */
  type?: string | undefined
  codec?: CodecOption
  parts: Parts
  /** When this client has created it, by its clock. */
  created: number
  /** Another stream of the same options, that was created a moment ago. */
  another(door: Door): Stream<T>
}

export interface Writer<T> extends Pick<Stream<T>, "append" | "create" | "head" | "close" | "fail" | "fork" | "delete"> {
  producer(options: ProducerOptions & { id: string }): Loaded<T>
}

export function writerOf<T>(core: Core<T>, writes: Writes): Writer<T> {
  const { environment, parts, retry, signal } = core
  let writer: Loaded<T> | undefined

  const trying = <R>(own: AbortSignal | undefined, call: (again: boolean) => Promise<R>): Promise<R> =>
    insist(environment, retry, own ?? signal, call)

  const typeOf = async (): Promise<string> => core.type ?? (await self.head())?.type ?? JSON_TYPE

  /** A record's bytes, as a body has them. */
  const encode: Encode = async (data, type) => {
    if (!core.codec) return plainEncode(data, type)
    const { encode: coded } = (await trying(undefined, () => codecOf(core.codec))) as Codec
    const { framed } = await trying(undefined, () => load(parts.frames))
    try {
      return framed(coded(data), type)
    } catch (cause) {
      throw causedBy(cause, "bad-record", `it is no record of ${type}`)
    }
  }

  const writing = (create = false): Loaded<T> => (writer ??= self.producer({ id: name(), linger: 0, create }))

  const self: Writer<T> = {
    append: (data, given = {}) => writing(given.create).append(data, given),
    producer: (producing) => producerOf(core, writes, typeOf, encode, producing),
    async create({ type = core.type ?? JSON_TYPE, ttl, expiresAt, retention, slow, closed, records = [], signal: own }: CreateOptions<T> = {}) {
      const headers: Fields = {
        "content-type": type,
        "stream-ttl": ttl,
        "stream-expires-at": expiresAt instanceof Date ? expiresAt.toISOString() : expiresAt,
        "stream-retention": retention,
        "stream-slow": slow,
        "stream-closed": closed || undefined,
      }
      const bodies = await Promise.all(records.map((record) => encode(record, type)))
      const info = await trying(own, () => writes.create(headers, bodies.length ? bodyOf(bodies, type) : undefined, own))
      core.type = type
      core.created = environment.now()
      return { ...info, type: info.type || type }
    },
    async head({ signal: own } = {}): Promise<Info | null> {
      const info = await trying(own, () => writes.head(own))
      core.type = info?.type || core.type
      return info
    },
    close: (last) => writing().close(last),
    fail: (code, message, last) => writing().fail(code, message, last),
    async fork(to, at, { signal: own } = {}) {
      const there = writes.sibling(to)
      const made = await there.writes()
      const from = new URL(writes.sibling("").url).pathname
      await trying(own, () => made.create({ "stream-forked-from": from, "stream-fork-offset": at }, undefined, own))
      return core.another(there)
    },
    async delete({ signal: own } = {}) {
      await trying(own, async (again) => {
        try {
          await writes.delete(own)
        } catch (error) {
          // The answer to the first request was lost; it was done.
          if (!again || (error as HeadwaterError).code !== "stream-not-found") throw error
        }
      })
    },
  }
  return self
}
