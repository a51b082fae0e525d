/** `live=sse` of the Durable Streams Protocol: an event `data` for each batch, an event `control` behind it. */

import { type Raw, formOf, fromBase64, splitArray } from "../records.ts"
import type { Requester } from "../request.ts"
import { SseParser } from "../sse.ts"
import type { Attempt, Transport, Wire, WireRecord } from "../transport.ts"
import { type Fields, controlOf } from "./control.ts"
import { type Format, openLive } from "./live.ts"

const format: Format = {
  accept: "text/event-stream",
  query: { live: "sse" },
  parser: (response, attempt) => batches(response.headers.get("stream-sse-data-encoding") === "base64", attempt),
}

interface Control {
  streamNextOffset: string
  upToDate?: boolean
  streamClosed?: boolean
  streamFailure?: Fields
  streamGap?: { from: string; to: string }
  streamError?: Fields
  streamDetached?: Fields
}

/** A batch's records. Only the last one's offset is told; who goes on from another has the batch again. */
export function batchOf(raws: readonly Raw[], before: string, offset: string): WireRecord[] {
  return raws.map((raw, index) => ({ raw, offset: index === raws.length - 1 ? offset : before }))
}

function batches(base64: boolean, attempt: Attempt): (chunk: Uint8Array) => Wire[] {
  const parser = new SseParser()
  const json = attempt.type === undefined ? undefined : formOf(attempt.type) === "json"
  let at = attempt.from
  let held: Raw[] = []
  const take = (data: string): Raw[] => {
    if (base64) return [fromBase64(data)]
    // Without a type known: a batch of JSON is an array, and text that is one by chance cannot be told from it.
    if (json ?? data.startsWith("[")) return splitArray(data)
    return data === "" ? [] : [data]
  }
  const control = (told: Control): Wire[] => {
    const offset = told.streamNextOffset
    const wires: Wire[] = []
    const upToDate = told.upToDate === true && !told.streamClosed
    if (told.streamGap) wires.push({ kind: "gap", ...told.streamGap, offset })
    if (held.length) wires.push({ kind: "records", records: batchOf(held, at, offset), offset, single: false, upToDate })
    else if (upToDate) wires.push({ kind: "up-to-date", offset })
    else if (!told.streamGap) wires.push({ kind: "beat" })
    held = []
    at = offset
    const { streamFailure, streamClosed, streamError, streamDetached } = told
    if (streamFailure) wires.push(controlOf("failed", streamFailure, offset))
    else if (streamClosed) wires.push(controlOf("closed", told as never, offset))
    else if (streamError) wires.push(controlOf("error", streamError, offset))
    else if (streamDetached) wires.push(controlOf("detached", streamDetached, offset))
    return wires
  }
  return (chunk) => {
    const wires: Wire[] = []
    for (const { event, data } of parser.feed(chunk)) {
      if (data === null) continue
      if (event === "data") held.push(...take(data))
      else if (event === "control") wires.push(...control(JSON.parse(data) as Control))
    }
    return wires
  }
}

/** A life that the server ends as planned is no loss: what is unfinished was not told. */
async function* untilPlanned(wires: AsyncIterable<Wire>): AsyncGenerator<Wire, void, undefined> {
  let controls = 0
  try {
    for await (const wire of wires) {
      if (wire.kind === "records" || wire.kind === "up-to-date") controls += 1
      yield wire
    }
  } catch (error) {
    if ((error as { code?: string }).code !== "truncated" || !controls) throw error
    yield { kind: "detached" }
  }
}

export const liveSse = (requester: Requester, url: string): Transport => ({
  name: "live-sse",
  open: (attempt: Attempt) => untilPlanned(openLive(requester, url, format, attempt)),
})
