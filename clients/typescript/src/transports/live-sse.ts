/** `live=sse` of the Durable Streams Protocol: an event `data` for each batch, an event `control` behind it. */

import { codecOf } from "../codec.ts"
import { elementsOf } from "../elements.ts"
import { formOf, fromBase64 } from "../records.ts"
import { sseParser } from "../sse.ts"
import type { Offset, TransportFactory, Wire, WireRecord } from "../transport.ts"
import type { HeadwaterError } from "../errors.ts"
import { apart, splitOf } from "./apart.ts"
import { controlOf } from "./control.ts"
import { live } from "./live.ts"

type Words = Record<string, unknown>

interface Control {
  streamNextOffset: Offset
  upToDate?: boolean
  streamClosed?: boolean
  streamFailure?: Words
  streamGap?: Words
  streamError?: Words
  streamDetached?: Words
}

const events: TransportFactory = live({
  name: "live-sse",
  accept: "text/event-stream",
  // Here a stream that is not there is not waited for.
  query: { live: "sse", missing: undefined },
  async parser({ headers }, attempt) {
    const { type, codec: option } = attempt
    const parse = sseParser()
    const base64 = headers.get("stream-sse-data-encoding") === "base64"
    const codec = await codecOf(option)
    const split = base64 ? await splitOf(type ?? "", attempt) : undefined
    let held: WireRecord[] = []
    const take = (data: string): WireRecord[] => {
      if (split) return apart(fromBase64(data), split, codec)
      // Without a type known: a batch of JSON is an array, and text that is one by chance cannot be told from it.
      if (type ? formOf(type) === "json" : data.startsWith("[")) return elementsOf(data)
      return data ? [{ raw: data }] : []
    }
    const control = (told: Control, into: Wire[]): void => {
      const { streamNextOffset: offset, streamClosed, streamFailure, streamError, streamDetached, streamGap } = told
      const upToDate = told.upToDate === true && !streamClosed
      const tell = (kind: string, words?: Words): void => {
        if (words) into.push(controlOf(kind, words, offset))
      }
      tell("stream-gap", streamGap)
      if (held.length) into.push({ kind: "records", records: held, offset, upToDate })
      else if (!streamGap) tell(upToDate ? "up-to-date" : "beat", {})
      held = []
      if (streamFailure) tell("stream-failed", streamFailure)
      else if (streamClosed) tell("stream-closed", {})
      else if (streamError) tell("stream-error", streamError)
      else tell("stream-detached", streamDetached)
    }
    return (chunk, into) => {
      for (const { event, data } of parse(chunk)) {
        if (data === null) continue
        if (event === "data") held.push(...take(data))
        else if (event === "control") control(JSON.parse(data), into)
      }
    }
  },
})

/** Its server ends its answers as planned, without a word. */
async function* untilCut(wires: AsyncIterable<Wire>): AsyncGenerator<Wire, void, undefined> {
  let told = false
  try {
    for await (const wire of wires) {
      // A control that says nothing new is a word, too.
      told ||= wire.kind !== "open" && (wire.kind !== "beat" || "offset" in wire)
      yield wire
    }
  } catch (error) {
    if (!told || (error as HeadwaterError).code !== "truncated") throw error
    yield { kind: "stream-detached" }
  }
}

export const liveSse: TransportFactory = (...of) => {
  const { name, open } = events(...of)
  return { name, open: (attempt) => untilCut(open(attempt)) }
}
