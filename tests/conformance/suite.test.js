// The published suite, run as it is against the server at CONFORMANCE_URL; with CONFORMANCE_TOKEN, each request shows it.
import { runConformanceTests } from "@durable-streams/server-conformance-tests"

const { CONFORMANCE_URL: baseUrl, CONFORMANCE_TOKEN: token } = process.env
if (token) {
  const plain = globalThis.fetch
  globalThis.fetch = (url, options = {}) => {
    const headers = new Headers(options.headers)
    headers.set("authorization", `Bearer ${token}`)
    return plain(url, { ...options, headers })
  }
}

runConformanceTests({ baseUrl, longPollTimeoutMs: 20000, subscriptions: false })
