/**
 * Records through a bad network, down over each transport and up by a producer: each exactly once.
 *
 * `headwater serve --store memory:`, `python -m conformance.toxics --to 127.0.0.1:4437 --latency 40 --cut-every 1`, then
 * `node conformance/toxic.ts 127.0.0.1:4437 ADDRESS-OF-TOXICS [RECORDS] [SECONDS]`.
 */

import { type TransportName, stream } from "../src/index.ts"

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

/** Ten at a time, spread over the whole run. */
async function fill(path: string, host: string | undefined, acknowledged: () => void): Promise<void> {
  const producer = at(host, path).producer({ create: true })
  for (let n = 0; n < records; n += 1) {
    void producer.append(n).then(acknowledged)
    if (n % 10 === 9) await sleep(pause)
  }
  await producer.close()
}

async function down(transport: TransportName): Promise<void> {
  const reader = at(toxic, name).read({ transport })
  const got: number[] = []
  const seconds = new Set<number>()
  let losses = 0
  reader.on("error", () => (losses += 1))
  for await (const { data } of reader) {
    got.push(data)
    seconds.add(second())
  }
  tell(transport, got, seconds, losses)
}

async function up(): Promise<void> {
  const seconds = new Set<number>()
  await fill(`${name}-up`, toxic, () => seconds.add(second()))
  tell("append", await at(direct, `${name}-up`).all(), seconds, 0)
}

await at(direct, name).create()
await Promise.all([fill(name, direct, () => undefined), up(), ...TRANSPORTS.map(down)])
process.exit(failed ? 1 : 0)
