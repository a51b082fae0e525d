/**
 * The client as runners drive it: a JSON command on a line of standard input, a JSON result on a line of standard output.
 * `follow` and `write` are the project's own scenarios; the other commands are those of Durable Streams' suite for clients.
 */

import { createInterface } from "node:readline"
import { type Command, FEATURES, type Handlers, answer, hello } from "./commands.ts"
import { published } from "./published.ts"
import { follow, write } from "./scenarios.ts"

const features = {
  ...FEATURES,
  batching: true,
  sse: true,
  longPoll: true,
  auto: true,
  streaming: true,
  dynamicHeaders: true,
  strictZeroValidation: true,
}

const handlers: Handlers = {
  ...published.handlers,
  init({ serverUrl }: { serverUrl: string }) {
    published.init(serverUrl)
    return hello(features)
  },
  shutdown: () => ({ type: "shutdown", success: true }),
  follow,
  write,
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue
  const command = JSON.parse(line) as Command
  process.stdout.write(`${await answer(handlers, command)}\n`)
  if (command.type === "shutdown") break
}
process.exit(0)
