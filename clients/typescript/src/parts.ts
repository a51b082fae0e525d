/**
 * Everything in one piece: `import { parts } from "headwater/parts"`, then `stream(url, { parts })` and `connect(url, { parts })`. For
 * where nothing can be loaded later: service workers, single files, and pages that begin to write without a network.
 */

import type { ConnectionParts } from "./connection/door.ts"
import * as connectionRest from "./connection/rest.ts"
import * as connectionWrites from "./connection/writes.ts"
import * as connectionLeader from "./tabs/leader.ts"
import * as frames from "./frames.ts"
import * as rest from "./rest.ts"
import * as writing from "./writing.ts"

export const parts: ConnectionParts = {
  writing: async () => writing,
  rest: async () => rest,
  frames: async () => frames,
  connectionRest: async () => connectionRest,
  connectionLeader: async () => connectionLeader,
  connectionWrites: async () => connectionWrites,
}
