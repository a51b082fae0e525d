/**
 * The messages of a connection as Protobuf has them; see docs/reference/websocket.proto, against which the tests hold these tables.
 * What the client never says, and what it has no use for, is not among them, and is skipped.
 */

import type { Codec } from "../codec.ts"
import { encodeText } from "../records.ts"

/** What of `protobufjs/minimal` is used. */
export interface ProtobufLibrary {
  Reader: { create(bytes: Uint8Array): Reader }
  Writer: { create(): Writer }
}
interface Reader {
  pos: number
  len: number
  uint32(): number
  int64(): number | { toString(): string }
  bool(): boolean
  double(): number
  string(): string
  bytes(): Uint8Array
  skipType(wireType: number): unknown
}
interface Writer {
  uint32(value: number): Writer
  int64(value: number): Writer
  bool(value: boolean): Writer
  string(value: string): Writer
  bytes(value: Uint8Array): Writer
  fork(): Writer
  ldelim(): Writer
  finish(): Uint8Array
}

type Fields = Record<string, unknown>
/** `i` a whole number, `d` a number, `o` true or false, `s` text, `b` bytes; of capitals a list. Digits: a message of SHAPES; `p`: of `4`. */
type Kind = string
interface Field {
  name: string
  number: number
  kind: Kind
}

/** Fields as `name=NUMBER:KIND`. */
const shape = (text: string): Field[] =>
  text
    .split(" ")
    .filter(Boolean)
    .map((each) => {
      const [name = "", number, kind = ""] = each.split(/[=:]/)
      return { name, number: Number(number), kind }
    })

export const SHAPES: Record<string, Field[]> = {
  1: shape("id=1:s epoch=2:i seq=3:i"),
  2: shape("ttl=1:i expires_at=2:s retention=3:s slow=4:s"),
  3: shape("member=1:B many=2:o"),
  4: shape("subject=1:s issuer=2:s"),
}
/** By their `t`; each with its number in ClientMessage. */
export const SAID: Record<string, [number, Field[]]> = {
  hello: [1, shape("token=1:s name=2:s")],
  sub: [2, shape("id=1:i path=2:s from=3:s last=4:i window=6:i slow=7:s missing=8:s envelope=9:o signals=10:o presence=11:o")],
  unsub: [3, shape("id=1:i s=2:i path=3:s")],
  ack: [4, shape("s=1:i o=2:s")],
  append: [5, shape("id=1:i path=2:s s=3:i r=4:B b=5:B type=6:s p=7:1 close=9:o create=10:2")],
  close: [6, shape("id=1:i path=2:s s=3:i p=4:1")],
  fail: [7, shape("id=1:i path=2:s s=3:i code=4:s message=5:s")],
  create: [8, shape("id=1:i path=2:s type=3:s ttl=4:i expires_at=5:s retention=6:s slow=7:s r=8:B b=9:B closed=10:o")],
  head: [9, shape("id=1:i path=2:s s=3:i")],
  read: [10, shape("id=1:i path=2:s s=3:i from=4:s bytes=5:i last=6:i envelope=9:o")],
  delete: [11, shape("id=1:i path=2:s s=3:i")],
  auth: [12, shape("token=1:s id=2:i")],
  ping: [13, shape("id=1:i")],
  pong: [14, []],
  signal: [15, shape("id=1:i path=2:s s=3:i data=4:b b=5:b from=6:s to=7:s topic=8:s keep=9:i")],
  here: [16, shape("id=1:i path=2:s s=3:i state=4:b key=5:s member=6:s connection=7:s")],
}
/** By their `t`; each with its number in ServerMessage. */
export const TOLD: Record<string, [number, Field[]]> = {
  data: [1, shape("s=1:i o=2:s e=3:S b=4:B at=5:D by=6:P")],
  welcome: [2, shape("server=1:s heartbeat=2:d window=3:i")],
  sub: [3, shape("id=1:i s=2:i path=3:s type=4:s from=5:s tail=6:s earliest=7:s")],
  waiting: [4, shape("id=1:i path=2:s o=3:s")],
  live: [5, shape("s=1:i o=2:s")],
  gap: [6, shape("s=1:i from=2:s to=3:s why=4:s o=5:s")],
  end: [7, shape("s=1:i o=2:s why=3:s code=4:s message=5:s after=6:d")],
  ok: [8, shape("id=1:i o=2:s dup=3:o closed=4:o created=5:o told=6:i")],
  info: [9, shape("id=1:i path=2:s type=3:s tail=4:s earliest=5:s closed=6:o code=7:s message=8:s ttl=9:i expires_at=10:s retention=11:s slow=12:s")],
  page: [10, shape("id=1:i from=2:s o=3:s e=4:S b=5:B at=6:D live=7:o earlier=8:o closed=9:o code=10:s message=11:s by=12:P")],
  err: [11, shape("code=1:s status=2:i detail=3:s advice=4:s id=5:i s=6:i path=7:s after=8:i facts=9:b")],
  expiring: [12, shape("seconds=1:d")],
  drain: [13, shape("after=1:d")],
  ping: [14, []],
  pong: [15, shape("id=1:i")],
  signal: [16, shape("s=1:i data=2:b b=3:b from=4:s to=5:s topic=6:s keep=7:i by=8:p")],
  presence: [17, shape("s=1:i version=2:i count=3:i members=4:3 joined=5:B changed=6:B left=7:S")],
  here: [18, shape("id=1:i member=2:s key=3:s count=4:i")],
}
const BY_NUMBER = new Map(Object.entries(TOLD).map(([t, [number, fields]]) => [number, { t, fields }]))

/** Messages with bytes in place of values; see `packed`. */
export const messagesOf = ({ Reader, Writer }: ProtobufLibrary): Codec => ({
  encode({ t, ...message }: Fields) {
    const [number, fields] = SAID[t as string] as [number, Field[]]
    // A state that is null is one: the member leaves.
    const given = t === "here" && message.state === null ? { ...message, state: encodeText("null") } : message
    return write(Writer.create().uint32(number * 8 + 2).fork(), given, fields).ldelim().finish()
  },
  decode(bytes) {
    const reader = Reader.create(bytes)
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      const known = BY_NUMBER.get(tag >>> 3)
      if (known) return { t: known.t, ...read(reader, reader.uint32(), known.fields) }
      reader.skipType(tag & 7)
    }
    // Of a newer server.
    return { t: "" }
  },
})

function write(writer: Writer, message: Fields, fields: Field[]): Writer {
  for (const { name, number, kind } of fields) {
    const value = message[name]
    if (value === undefined || value === null || value === false) continue
    for (const each of /[BS]/.test(kind) ? (value as unknown[]) : [value]) one(writer, number, kind.toLowerCase(), each)
  }
  return writer
}

function one(writer: Writer, number: number, kind: Kind, value: unknown): void {
  if (kind === "i") writer.uint32(number * 8).int64(value as number)
  else if (kind === "o") writer.uint32(number * 8).bool(true)
  else if (kind === "s") writer.uint32(number * 8 + 2).string(String(value))
  else if (kind === "b") writer.uint32(number * 8 + 2).bytes(value as Uint8Array)
  else write(writer.uint32(number * 8 + 2).fork(), nested(value, kind), SHAPES[kind] as Field[]).ldelim()
}

/** A producer is a list in JSON, and a stream that is made with nothing else said is `true`. */
function nested(value: unknown, kind: Kind): Fields {
  if (kind !== "1") return value === true ? {} : (value as Fields)
  const [id, epoch, seq] = value as unknown[]
  return { id, epoch, seq }
}

function read(reader: Reader, size: number, fields: Field[]): Fields {
  const message: Fields = {}
  for (const end = reader.pos + size; reader.pos < end; ) {
    const tag = reader.uint32()
    const field = fields.find(({ number }) => number === tag >>> 3)
    if (!field) {
      reader.skipType(tag & 7)
      continue
    }
    const { name, kind } = field
    const value = kind === "D" ? numbers(reader) : valueOf(reader, kind.toLowerCase())
    if (/[BSP]/.test(kind)) message[name] = [...((message[name] as unknown[] | undefined) ?? []), value]
    else message[name] = value
  }
  return message
}

/** Packed into one field. */
function numbers(reader: Reader): number[] {
  const found: number[] = []
  const size = reader.uint32()
  for (const end = reader.pos + size; reader.pos < end; ) found.push(reader.double())
  return found
}

function valueOf(reader: Reader, kind: Kind): unknown {
  if (kind === "i") return Number(reader.int64())
  if (kind === "d") return reader.double()
  if (kind === "o") return reader.bool()
  if (kind === "s") return reader.string()
  if (kind === "b") return reader.bytes()
  if (kind === "p") {
    const principal = read(reader, reader.uint32(), SHAPES[4] as Field[])
    return principal.subject ? principal : null
  }
  const { member = [], many } = read(reader, reader.uint32(), SHAPES[kind] as Field[])
  return many ? null : member
}
