/** A slow consumer behind a fast stream, with real sockets: the server waits, and neither side's memory grows. */

import assert from "node:assert/strict"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import { type TransportName, stream } from "../src/index.ts"
import { at } from "./support/server.ts"

/** Bytes that a system may hold for two sockets, with what the platform's fetch keeps. */
const HELD = 16 << 20
const PADDING = "x".repeat(1000)

/** A server that writes as fast as it is taken; `written` is what it has given to its socket. */
async function fast(line: (n: number) => string, type: string) {
  let written = 0
  let waiting = false
  const server = createServer((_request, response: ServerResponse) => {
    response.writeHead(200, { "content-type": type })
    let n = 0
    const pump = (): void => {
      waiting = false
      while (!response.destroyed) {
        const text = line((n += 1))
        written += text.length
        if (response.write(text)) continue
        waiting = true
        response.once("drain", pump)
        return
      }
    }
    pump()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1/stream/fast`,
    written: () => written,
    waiting: () => waiting,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const LINES: Record<string, [TransportName, string, (n: number) => string]> = {
  sse: ["sse", "text/event-stream", (n) => `id:${at(n)}\ndata:{"n":${n},"padding":"${PADDING}"}\n\n`],
  ndjson: ["ndjson", "application/x-ndjson", (n) => `{"offset":"${at(n)}","data":{"n":${n},"padding":"${PADDING}"}}\n`],
}

for (const [name, [transport, type, line]] of Object.entries(LINES)) {
  test(`${name}: the brake reaches the socket`, async () => {
    const server = await fast(line, type)
    const reader = stream<{ n: number }>(server.url).read({ transport })
    let seen = 0
    let before = 0
    for await (const { data } of reader) {
      assert.equal(data.n, (seen += 1), "nothing is lost and nothing twice")
      if (seen % 2000) continue
      // The consumer holds: the server comes to a stand, having written no more than the buffers between them take.
      while (!server.waiting()) await new Promise((resolve) => setImmediate(resolve))
      const held = server.written() - seen * line(seen).length
      assert.ok(held < HELD, `${held} bytes are held`)
      const memory = process.memoryUsage().rss
      if (seen === 6000) before = memory
      if (seen === 20_000) {
        assert.ok(memory - before < 48 << 20, `${memory - before} bytes more`)
        break
      }
    }
    server.stop()
  })
}
