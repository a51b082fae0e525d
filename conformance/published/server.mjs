// In place of `@durable-streams/server` for the suite's runner: a server that is there already, by its URL.
export class DurableStreamTestServer {
  url = process.env.SUITE_SERVER_URL
  async start() {
    return this.url
  }
  async stop() {}
}
