/** The client in a page, as runners drive it: `command` takes a JSON command and promises a JSON result. */

import { type Command, FEATURES, type Handlers, answer, hello } from "./commands.ts"
import { follow, write } from "./scenarios.ts"

const handlers: Handlers = {
  init: () => hello(FEATURES),
  shutdown: () => ({ type: "shutdown", success: true }),
  follow,
  write,
}

Object.assign(globalThis, { command: (line: string) => answer(handlers, JSON.parse(line) as Command) })
