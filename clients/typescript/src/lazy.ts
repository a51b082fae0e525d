/**
 * What is loaded when it is first wanted: what writes, and what reading JSON by events does without as long as nothing is wrong.
 *
 * Rule: what could not be loaded is a lost network. It is asked for again by the rules of trying again, and nothing was sent.
 */

import type { Environment } from "./environment.ts"
import { HeadwaterError, causedBy } from "./errors.ts"
import { pause } from "./patience.ts"
import type { Problem } from "./request.ts"
import { type Retry, backoffOf } from "./retry.ts"

export interface Parts {
  writing(): Promise<typeof import("./writing.ts")>
  /** What reading needs now and then. */
  rest(): Promise<typeof import("./rest.ts")>
  /** What takes bodies of MessagePack and Protobuf apart. */
  frames(): Promise<typeof import("./frames.ts")>
}

export const lazy: Parts = {
  writing: () => import("./writing.ts"),
  rest: () => import("./rest.ts"),
  frames: () => import("./frames.ts"),
}

/** `after`: milliseconds to wait, if it was not loaded. */
export const load = async <P>(part: () => Promise<P>, after?: number): Promise<P> => {
  try {
    return await part()
  } catch (cause) {
    throw new HeadwaterError("network", `import(): ${cause}`, { cause, retryAfter: after })
  }
}

/** Gives what `call` loads, once, unless that was given up; what could not be loaded is asked for again. */
export function loaded<P>(environment: Environment, retry: Retry, signal: AbortSignal | undefined, call: () => Promise<P>): () => Promise<P> {
  let made: Promise<P> | undefined
  const loading = async (): Promise<P> => {
    const backoff = backoffOf(retry, environment)
    for (;;) {
      backoff.begin()
      try {
        return await call()
      } catch (error) {
        const wait = signal?.aborted ? null : backoff.end({})
        if (wait === null) {
          made = undefined
          throw signal?.aborted ? causedBy(signal.reason, "stopped", "aborted") : error
        }
        await pause(environment, backoff, wait, signal)
      }
    }
  }
  return () => (made ??= loading())
}

/** What a refusal says, by what is loaded to read it. */
export const problemBy =
  ({ rest }: Parts): Problem =>
  async (response) => {
    const { problemOf } = await load(rest, 1000 * Number(response.headers.get("retry-after")) || 0)
    return problemOf(response)
  }
