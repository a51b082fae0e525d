/** A command of the adapter protocol, wherever it comes from, and its result. */

export interface Command extends Record<string, unknown> {
  type: string
}

export type Result = Record<string, unknown>
export type Handlers = Record<string, (command: never) => Promise<Result> | Result>

export const FEATURES = {
  transports: ["sse", "ndjson", "long-poll", "live-sse", "websocket"],
  writes: ["http", "websocket"],
  missing: true,
  gone: true,
  envelope: true,
  clock: true,
} as const

/** What the first command is answered with. */
export const hello = (features: object): Result => ({
  type: "init",
  success: true,
  clientName: "headwater-typescript",
  clientVersion: "0.1.0",
  features,
})

/** The result of a command, of an error too. Two characters that some take for the end of a line are escaped. */
export async function answer(handlers: Handlers, command: Command): Promise<string> {
  const result = await handled(handlers, command)
  return JSON.stringify(result).replace(/[\u2028\u2029]/g, (each) => `\\u${each.charCodeAt(0).toString(16)}`)
}

async function handled(handlers: Handlers, command: Command): Promise<Result> {
  const handler = handlers[command.type]
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
