/**
 * The client as runners drive it: a JSON command on a line of standard input, a JSON result on a line of standard output.
 * `follow` and `write` are the project's own scenarios; the other commands are those of Durable Streams' suite for clients.
 */

import { createInterface } from "node:readline"
import { published } from "./published.ts"
import { follow, write } from "./scenarios.ts"

export interface Command extends Record<string, unknown> {
  type: string
}

export type Result = Record<string, unknown>
export type Handlers = Record<string, (command: never) => Promise<Result> | Result>

const FEATURES = {
  transports: ["sse", "ndjson", "long-poll", "live-sse", "websocket"],
  writes: ["http", "websocket"],
  missing: true,
  gone: true,
  clock: true,
  batching: true,
  sse: true,
  longPoll: true,
  auto: true,
  streaming: true,
  dynamicHeaders: true,
  strictZeroValidation: true,
}

const own: Handlers = {
  shutdown: () => ({ type: "shutdown", success: true }),
  follow,
  write,
}

async function answer(command: Command): Promise<Result> {
  if (command.type === "init") {
    published.init(String(command.serverUrl))
    return { type: "init", success: true, clientName: "headwater-typescript", clientVersion: "0.1.0", features: FEATURES }
  }
  const handler = own[command.type] ?? published.handlers[command.type]
  if (!handler) return failure(command, "NOT_SUPPORTED", `no command ${command.type}`)
  try {
    return await handler(command as never)
  } catch (error) {
    return failure(command, "INTERNAL_ERROR", error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

const failure = (command: Command, errorCode: string, message: string): Result => ({
  type: "error",
  success: false,
  commandType: command.type,
  errorCode,
  message,
})

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue
  const command = JSON.parse(line) as Command
  // Two characters that some take for the end of a line.
  const text = JSON.stringify(await answer(command)).replace(/[\u2028\u2029]/g, (each) => `\\u${each.charCodeAt(0).toString(16)}`)
  process.stdout.write(`${text}\n`)
  if (command.type === "shutdown") break
}
process.exit(0)
