/**
 * What an import costs in a page: bundled by esbuild for ES2022, minified, and by `gzip -9`.
 *
 * `node scripts/sizes.ts` measures this package; `node scripts/sizes.ts --peers` also others, which it installs into a
 * folder of its own.
 */

import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

export interface Size {
  what: string
  minified: number
  gzipped: number
}

/** What is measured, and the most that it may be, in bytes after gzip. */
export const OWN: Record<string, { code: string; most: number }> = {
  "`stream`": { code: 'export { stream } from "./src/index.ts"', most: 14_500 },
  "`connect`": { code: 'export { connect } from "./src/connection.ts"', most: 18_200 },
  "`connect` and `tabs`": { code: 'export { connect } from "./src/connection.ts"; export { tabs } from "./src/tabs.ts"', most: 20_700 },
  "`stream` and `outbox`": { code: 'export { stream } from "./src/index.ts"; export { outbox } from "./src/outbox.ts"', most: 16_900 },
  "`HeadwaterChatTransport`": { code: 'export { HeadwaterChatTransport } from "./src/ai.ts"', most: 6300 },
  "`ReconnectingEventSource`": { code: 'export { ReconnectingEventSource } from "./src/eventsource.ts"', most: 5000 },
}

const PEERS: Record<string, string> = {
  "@durable-streams/client": "0.2.7",
  "centrifuge": "5.8.0",
  "socket.io-client": "4.8.4",
  "pusher-js": "8.6.0",
  "partysocket": "1.3.0",
  "@microsoft/fetch-event-source": "2.0.1",
  "eventsource": "4.1.1",
}

export async function measure(what: string, code: string, directory: string): Promise<Size> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: directory, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    write: false,
    logLevel: "error",
  })
  const bytes = (outputFiles[0] as { contents: Uint8Array }).contents
  return { what, minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }
}

export const root: string = fileURLToPath(new URL("..", import.meta.url))

export const own = (): Promise<Size[]> => Promise.all(Object.entries(OWN).map(([what, { code }]) => measure(what, code, root)))

async function peers(): Promise<Size[]> {
  const directory = mkdtempSync(join(tmpdir(), "sizes-"))
  try {
    writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, dependencies: PEERS }))
    const npm = join(process.execPath, "../../lib/node_modules/npm/bin/npm-cli.js")
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    execFileSync(process.execPath, [npm, "install", "--prefix", directory, ...options], { stdio: "inherit" })
    const all = await Promise.all(Object.keys(PEERS).map((name) => measure(name, `export * from "${name}"; export { default } from "${name}"`, directory).catch(() => measure(name, `export * from "${name}"`, directory))))
    return [...all, await measure("@durable-streams/client, only `stream`", 'export { stream } from "@durable-streams/client"', directory)]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = [...(await own()), ...(process.argv.includes("--peers") ? await peers() : [])]
  console.log("| import | minified | gzip -9 |\n| --- | --- | --- |")
  for (const { what, minified, gzipped } of sizes) console.log(`| ${what} | ${minified} | ${gzipped} |`)
}
