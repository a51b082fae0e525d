/** What is installed: its size in a page, and that nothing runs at import. */

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { BUNDLES, bundle, placeOf } from "../scripts/bundles.ts"
import { OWN, measure, own, root } from "../scripts/sizes.ts"

test("imports cost no more than they may", async () => {
  for (const { what, gzipped } of await own()) {
    const most = OWN[what]?.most ?? 0
    assert.ok(gzipped <= most, `${what}: ${gzipped} bytes, of ${most}`)
    assert.ok(gzipped > most * 0.9, `${what}: ${gzipped} bytes; the limit of ${most} says nothing any more`)
  }
})

test("an import that is not used leaves nothing", async () => {
  const { minified } = await measure("nothing", 'import "./src/index.ts"; import "./src/eventsource.ts"; import "./src/outbox.ts"; import "./src/connection.ts"; import "./src/tabs.ts"; import "./src/react.ts"; import "./src/parts.ts"; import "./src/msgpack.ts"; import "./src/protobuf.ts"', root)
  assert.equal(minified, 0)
})

test("nothing of a page or of a process is asked for at import", () => {
  const code = `
    // It asks which of its builds it is.
    await import("react")
    for (const name of ["document", "window", "navigator", "location", "fetch", "sessionStorage", "EventSource", "process"]) {
      Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error(name) } })
    }
    for (const entry of ["index", "connection", "outbox", "tabs", "eventsource", "ai", "react", "parts", "msgpack", "protobuf"]) await import("${root}src/" + entry + ".ts")
  `
  execFileSync(process.execPath, ["--input-type=module", "--eval", code], { stdio: "pipe", cwd: root })
})

test("the client in one file that pages have is made of these sources", async () => {
  for (const [file, code] of Object.entries(BUNDLES)) {
    assert.equal(readFileSync(placeOf(file), "utf8"), await bundle(code), `${file}: run node scripts/bundles.ts`)
  }
})
