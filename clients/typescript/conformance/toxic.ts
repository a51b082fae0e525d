/**
 * Records through a bad network, down over each transport and up by a producer: each exactly once. Over WebSocket two readers of one
 * connection, and one of another that shares it as a tab does.
 *
 * `headwater serve --store memory:`, `python -m conformance.toxics --to 127.0.0.1:4437 --latency 40 --cut-every 1`, then
 * `node conformance/toxic.ts 127.0.0.1:4437 ADDRESS-OF-TOXICS [RECORDS] [SECONDS]`.
 */

import { type Connection, connect } from "../src/connection.ts"
import { type Reader, type Stream, type TransportName, stream } from "../src/index.ts"
import { tabs } from "../src/tabs.ts"

const TRANSPORTS: TransportName[] = ["sse", "ndjson", "long-poll", "live-sse"]
const [direct, toxic, count = "10000", duration = "100"] = process.argv.slice(2)
const records = Number(count)
const pause = (Number(duration) * 1000) / (records / 10)
const name = `toxic-${Date.now()}`
const began = Date.now()
const second = (): number => Math.floor((Date.now() - began) / 1000)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const at = (host: string | undefined, path: string) => stream<number>(`http://${host}/v1/stream/${path}`)
let failed = false

function tell(what: string, got: readonly number[], seconds: Set<number>, losses: number): void {
  const whole = got.length === records && got.every((value, index) => value === index)
  failed ||= !whole
  console.log(`${what}: ${got.length} records, ${whole ? "each once and in order" : "WRONG"}, ${losses} losses, progress in ${seconds.size} of ${second() + 1} s`)
}

const share = tabs({ user: "toxic" })
const [connection, tab] = [0, 1].map(() => connect(`http://${toxic}/v1/stream/`, { share })) as [Connection, Connection]

/** Ten at a time, spread over the whole run. */
async function fill(to: Stream<number>, acknowledged: () => void): Promise<void> {
  const producer = to.producer({ create: true })
  for (let n = 0; n < records; n += 1) {
    void producer.append(n).then(acknowledged)
    if (n % 10 === 9) await sleep(pause)
  }
  await producer.close()
}

async function down(what: string, reader: Reader<number>): Promise<void> {
  const got: number[] = []
  const seconds = new Set<number>()
  let losses = 0
  reader.on("error", () => (losses += 1))
  for await (const { data } of reader) {
    got.push(data)
    seconds.add(second())
  }
  tell(what, got, seconds, losses)
}

async function up(what: string, path: string, to: Stream<number>): Promise<void> {
  const seconds = new Set<number>()
  await fill(to, () => seconds.add(second()))
  tell(what, await at(direct, path).all(), seconds, 0)
}

await at(direct, name).create()
await Promise.all([
  fill(at(direct, name), () => undefined),
  up("append", `${name}-up`, at(toxic, `${name}-up`)),
  up("append, websocket", `${name}-up-2`, connection.stream(`${name}-up-2`)),
  up("append, of another tab", `${name}-up-3`, tab.stream(`${name}-up-3`)),
  ...TRANSPORTS.map((transport) => down(transport, at(toxic, name).read({ transport }))),
  down("websocket", connection.stream<number>(name).read()),
  down("websocket, a second reader", connection.stream<number>(name).read({ buffer: 1000 })),
  down("websocket, another tab", tab.stream<number>(name).read()),
])
connection.close()
tab.close()
process.exit(failed ? 1 : 0)
