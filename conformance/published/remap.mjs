// `node --import`: the suite's runner gets the class of server.mjs.
import { registerHooks } from "node:module"

const ours = new URL("server.mjs", import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    return specifier === "@durable-streams/server" ? { url: ours, shortCircuit: true } : next(specifier, context)
  },
})
