/**
 * A service around ReconnectingEventSource, as LaunchDarkly's contract tests drive one (docs/service_spec.md there).
 *
 * To run them: build their program from a copy of github.com/launchdarkly/sse-contract-tests, then
 * `node conformance/eventsource.ts 8123` and `sse-contract-tests --url http://127.0.0.1:8123 --host 127.0.0.1`.
 */

import { createServer } from "node:http"
import { ReconnectingEventSource } from "../src/eventsource.ts"

interface Started {
  streamUrl: string
  callbackUrl: string
  initialDelayMs?: number
  readTimeoutMs?: number
  lastEventId?: string
  headers?: Record<string, string>
  method?: string
  body?: string
}

const CAPABILITIES = ["bom", "event-type-listeners", "headers", "last-event-id", "post", "report", "read-timeout"]
const running = new Map<string, { source: ReconnectingEventSource; listen(type: string): void }>()
let started = 0

function start({ streamUrl, callbackUrl, ...options }: Started): string {
  let sent = 0
  // One behind the other, so that they arrive in order.
  let queue: Promise<unknown> = Promise.resolve()
  const tell = (message: unknown): void => {
    const url = `${callbackUrl}/${(sent += 1)}`
    queue = queue.then(() => fetch(url, { method: "POST", body: JSON.stringify(message) })).catch(() => undefined)
  }
  const { initialDelayMs: base, readTimeoutMs: silence, lastEventId, headers, method, body } = options
  const source = new ReconnectingEventSource(streamUrl, {
    retry: { ...(base === undefined ? {} : { base }), ...(silence === undefined ? {} : { silence }) },
    ...(base === undefined ? {} : { reconnectionTime: base }),
    ...(lastEventId ? { lastEventId } : {}),
    ...(headers ? { headers } : {}),
    ...(method ? { method } : {}),
    ...(body === undefined ? {} : { body }),
  })
  const listen = (type: string): void =>
    source.addEventListener(type, (event) => {
      // Without data it is the source's own, not the stream's.
      if (!("data" in event)) return
      tell({ kind: "event", event: { type, data: event.data, id: event.lastEventId } })
    })
  listen("message")
  source.onerror = (event) => {
    if (!("data" in event)) tell({ kind: "error", comment: source.readyState === 2 ? "closed" : "connecting again" })
  }
  const id = String((started += 1))
  running.set(id, { source, listen })
  return `/streams/${id}`
}

createServer(async (request, response) => {
  let body = ""
  for await (const chunk of request) body += String(chunk)
  const reply = (status: number, headers: Record<string, string> = {}, text = ""): void => {
    response.writeHead(status, headers).end(text)
  }
  const one = running.get(request.url?.split("/")[2] ?? "")
  if (request.url === "/") {
    if (request.method === "GET") return reply(200, {}, JSON.stringify({ capabilities: CAPABILITIES }))
    if (request.method === "POST") return reply(201, { location: start(JSON.parse(body) as Started) })
    reply(204)
    return process.exit(0)
  }
  if (!one) return reply(404)
  if (request.method === "DELETE") one.source.close()
  else one.listen((JSON.parse(body) as { listen: { type: string } }).listen.type)
  reply(204)
}).listen(Number(process.argv[2] ?? 8123), "127.0.0.1")
