/** Parsers give the same wherever the bytes are cut: on vectors of the project and on bytes by chance. */

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { lineParser } from "../src/lines.ts"
import { elementsOf } from "../src/elements.ts"
import { type ServerEvent, retryField, sseParser } from "../src/sse.ts"
import { dice } from "./support/world.ts"

interface Vector {
  name: string
  bytes: string
  events: { data: string; event: string; id: string }[]
  last_event_id: string
  retry: number | null
}

const file = new URL("../../../tests/protocol/vectors/sse.json", import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] }

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
/** The vectors' strings are bytes; the parser's are text. */
const textOf = (bytes: string): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(bytes))

function parse(pieces: Iterable<Uint8Array>): { events: ServerEvent[]; id: string; retry: number | null } {
  const parser = sseParser("", retryField)
  const events = [...pieces].flatMap(parser)
  const retries = events.filter(({ retry }) => retry !== undefined)
  return { events, id: events.at(-1)?.id ?? "", retry: retries.at(-1)?.retry ?? null }
}

function* cuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes]
  yield Array.from(bytes, (byte) => Uint8Array.of(byte))
  for (let cut = 1; cut < bytes.length; cut += 1) yield [bytes.subarray(0, cut), bytes.subarray(cut)]
}

for (const vector of vectors) {
  test(`vector: ${vector.name}`, () => {
    const expected = vector.events.map((event) => ({ event: textOf(event.event), data: textOf(event.data), id: textOf(event.id) }))
    for (const pieces of cuts(bytesOf(vector.bytes))) {
      const { events, id } = parse(pieces)
      const told = events.flatMap(({ event, data, id: at }) => (data === null ? [] : [{ event, data, id: at }]))
      assert.deepEqual(told, expected)
      assert.equal(id, textOf(vector.last_event_id))
    }
  })
}

const PIECES = ["data", "data:", "data: ", "event: a", "id: 1", "retry: 5", ":", " ", "\n", "\r", "\r\n", "\n\n", "\0", "\xef\xbb\xbf", "\xff", "ü", "x"]

test("any cuts of any bytes give the same events", () => {
  const random = dice(7)
  for (let round = 0; round < 400; round += 1) {
    const count = Math.floor(random() * 30)
    const bytes = bytesOf(Array.from({ length: count }, () => PIECES[Math.floor(random() * PIECES.length)]).join(""))
    const whole = parse([bytes])
    const at = Math.floor(random() * (bytes.length + 1))
    const then = at + Math.floor(random() * (bytes.length + 1 - at))
    assert.deepEqual(parse([bytes.subarray(0, at), bytes.subarray(at, then), bytes.subarray(then)]), whole)
  }
})

test("an event that does not end is refused at a limit, however it comes", () => {
  const mega = new Uint8Array(1 << 20).fill(0x78)
  const one = sseParser()
  assert.throws(() => {
    for (let count = 0; count < 70; count += 1) one(mega)
  }, RangeError)
  const lines = sseParser()
  assert.throws(() => {
    for (let count = 0; count < 70; count += 1) {
      lines(bytesOf("\ndata:"))
      lines(mega)
    }
  }, RangeError)
  const text = lineParser()
  assert.throws(() => {
    for (let count = 0; count < 70; count += 1) text(mega)
  }, RangeError)
})

test("lines are the same at every cut, and an unfinished one is never told", () => {
  const bytes = new TextEncoder().encode('{"a":"ü\\n"}\n\n{"b":2}\r\n{"c"')
  for (const pieces of cuts(bytes)) {
    const parser = lineParser()
    const lines = pieces.flatMap((piece) => parser(piece)).filter(Boolean)
    assert.deepEqual(lines, ['{"a":"ü\\n"}', '{"b":2}'])
  }
})

test("an array is split as it is written, and every cut of it is told as one", () => {
  const random = dice(3)
  const value = (depth: number): unknown => {
    const kind = Math.floor(random() * (depth > 3 ? 4 : 6))
    if (kind === 0) return Math.floor(random() * 1000) - 500
    if (kind === 1) return ['a"b', "\\", "[", "},", "ü\u2028", ""][Math.floor(random() * 6)]
    if (kind === 2) return null
    if (kind === 3) return random() < 0.5
    if (kind === 4) return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length: Math.floor(random() * 4) }, (_each, index) => [`k${index}"]`, value(depth + 1)]))
  }
  for (let round = 0; round < 300; round += 1) {
    const values = Array.from({ length: Math.floor(random() * 5) }, () => value(0))
    const text = JSON.stringify(values, null, round % 3)
    assert.deepEqual(elementsOf(text).map(({ raw }) => JSON.parse(raw) as unknown), values)
    assert.deepEqual(elementsOf(text).map(({ value: each }) => each), values)
    assert.equal(elementsOf(text).every(({ raw }) => text.includes(raw)), true)
    const cut = Math.floor(random() * text.length)
    assert.throws(() => elementsOf(text.slice(0, cut)), SyntaxError)
  }
  assert.throws(() => elementsOf("[1,]"), SyntaxError)
  assert.throws(() => elementsOf("[1]]"), SyntaxError)
  assert.throws(() => elementsOf("{}"), SyntaxError)
})

test("a string of any length is one element", () => {
  for (const value of ["x".repeat(20_000_000), "\n".repeat(1_000_000)]) {
    const text = JSON.stringify([value, 1])
    const [first, second] = elementsOf(text)
    assert.equal(first?.value === value, true)
    assert.equal(first?.raw.length, text.length - 4)
    assert.equal(second?.raw, "1")
  }
})
