/**
 * What an import costs in a page: bundled by esbuild for ES2022, minified, and by `gzip -9`. What is loaded later, by `import()`, is
 * left out of it, and measured by itself; and once all of it in one file.
 *
 * `node scripts/sizes.ts` measures this package; `node scripts/sizes.ts --peers` also others, which it installs into a
 * folder of its own; `node scripts/sizes.ts --parts` tells what the bytes of `stream` are for.
 */

import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { type Metafile, type Plugin, build } from "esbuild"

export interface Size {
  what: string
  minified: number
  gzipped: number
}

interface Own {
  code: string
  /** The most that it may be, in bytes after gzip; of one that stands beside another, that it adds. */
  most: number
  /** Beside which other one it is measured. */
  beside?: string
  /** With what is loaded later, in one file. */
  whole?: boolean
}

const STREAM = "`stream`"
const WRITING = "with the first write, beside `stream`"
const CONNECT = "`connect`, beside `stream`"
const REST = "now and then on a connection: pages, gaps, ends, signals, members; beside `connect`"
const STREAMS = 'export { stream } from "./src/index.ts"'
const CONNECTS = 'export { connect } from "./src/connection.ts"'

export const OWN: Record<string, Own> = {
  [STREAM]: { code: STREAMS, most: 7000 },
  "`stream`, with what it loads later, in one file": { code: STREAMS, most: 14_700, whole: true },
  [WRITING]: { code: 'export * from "./src/writing.ts"', most: 3350, beside: STREAM },
  "now and then, beside `stream`": { code: 'export * from "./src/rest.ts"', most: 3550, beside: STREAM },
  "bodies of MessagePack and Protobuf, beside `stream`": { code: 'export * from "./src/frames.ts"', most: 650, beside: STREAM },
  "`connect` alone": { code: CONNECTS, most: 9650 },
  [CONNECT]: { code: CONNECTS, most: 4750, beside: STREAM },
  "`stream` and `connect`, with what they load later, in one file": { code: `${STREAMS};${CONNECTS}`, most: 23_700, whole: true },
  "with the first write on a connection, beside `connect`": { code: 'export * from "./src/connection/writes.ts"', most: 800, beside: CONNECT },
  [REST]: { code: 'export * from "./src/connection/rest.ts"', most: 3200, beside: CONNECT },
  "in a tab beside others, beside `connect` and that": { code: 'export * from "./src/tabs/leader.ts"', most: 900, beside: REST },
  "`parts`, which is all of that, beside `connect`": { code: 'export { parts } from "./src/parts.ts"', most: 11_600, beside: CONNECT },
  "`msgpack`, beside `connect`; its library is the application's": { code: 'export { msgpack } from "./src/msgpack.ts"', most: 620, beside: CONNECT },
  "`protobuf`, beside `connect`; its library is the application's": { code: 'export { protobuf } from "./src/protobuf.ts"', most: 2250, beside: CONNECT },
  "`tabs`, beside `connect`": { code: 'export { tabs } from "./src/tabs.ts"', most: 2150, beside: CONNECT },
  "`outbox`, beside `stream` and what writes": { code: 'export { outbox } from "./src/outbox.ts"', most: 2500, beside: WRITING },
  "`HeadwaterChatTransport`": { code: 'export { HeadwaterChatTransport } from "./src/ai.ts"', most: 5500 },
  "`useStream`, beside `stream`": { code: 'export { useStream } from "./src/react.ts"', most: 1550, beside: STREAM },
  "`useConnection` and `usePresence`, beside `connect`": {
    code: 'export { useConnection, useConnectionState, usePresence } from "./src/react.ts"',
    most: 1350,
    beside: CONNECT,
  },
  "`ReconnectingEventSource`": { code: 'export { ReconnectingEventSource } from "./src/eventsource.ts"', most: 3700 },
}

/** What the modules of `stream` are there for. */
const PARTS: Record<string, RegExp> = {
  "A reader: its place, its states, records, batches, streams, checkpoints, gaps, all its ends": /reader|events/,
  "The handle; what asks for what writes, when it is there": /stream\.ts|http\.ts|promised|chance|lazy/,
  "SSE: its request, its parser, its controls": /transports\/(?!choice)|lines|sse\.ts/,
  "One request, its limits, what ends it": /request|errors|signals/,
  "Types; values; schemas": /records|schema/,
  "When to try again, and what ends a wait": /retry|patience/,
  "Which transport, and whether to look for another": /choice/,
  "Clocks, and what happens to a page: hidden, offline, put away": /environment/,
  "A body that is pulled, and silence": /body/,
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

/** What is imported when it is wanted is not loaded with the rest. */
const LATER: Plugin = {
  name: "later",
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, path }) => (kind === "dynamic-import" ? { path, external: true } : undefined))
  },
}

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length

async function bundle(code: string, directory: string, whole = false): Promise<{ bytes: Uint8Array; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: directory, loader: "ts" },
    bundle: true,
    // A page that uses hooks has it.
    external: ["react"],
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    write: false,
    metafile: true,
    plugins: whole ? [] : [LATER],
    logLevel: "error",
  })
  return { bytes: (outputFiles[0] as { contents: Uint8Array }).contents, metafile }
}

export async function measure(what: string, code: string, directory: string, whole = false): Promise<Size> {
  const { bytes } = await bundle(code, directory, whole)
  return { what, minified: bytes.length, gzipped: gzipped(bytes) }
}

export const root: string = fileURLToPath(new URL("..", import.meta.url))

/** What is there already. */
const besides = (what: string | undefined): string => {
  const { code, beside } = OWN[what ?? ""] ?? {}
  return code === undefined ? "" : `${besides(beside)}${code};`
}

async function one(what: string, { code, beside, whole }: Own): Promise<Size> {
  const base = besides(beside)
  if (!base) return measure(what, code, root, whole)
  const [alone, both] = await Promise.all([measure(what, base, root), measure(what, base + code, root)])
  return { what, minified: both.minified - alone.minified, gzipped: both.gzipped - alone.gzipped }
}

export const own = (): Promise<Size[]> => Promise.all(Object.entries(OWN).map(([what, each]) => one(what, each)))

/** What each part adds behind those before it, in the order of the bundle. */
async function parts(): Promise<Size[]> {
  const { bytes, metafile } = await bundle(OWN[STREAM]?.code ?? "", root)
  const sizes = new Map(Object.keys(PARTS).map((what) => [what, { what, minified: 0, gzipped: 0 }]))
  let end = 0
  let before = 0
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {})) {
    const from = path.slice(path.lastIndexOf("src/") + 4)
    const size = sizes.get(Object.keys(PARTS).find((what) => PARTS[what]?.test(from)) ?? "")
    end += bytesInOutput
    const after = gzipped(bytes.subarray(0, end))
    if (size) {
      size.minified += bytesInOutput
      size.gzipped += after - before
    }
    before = after
  }
  return [...sizes.values()]
}

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
  const sizes = process.argv.includes("--parts") ? await parts() : [...(await own()), ...(process.argv.includes("--peers") ? await peers() : [])]
  console.log("| import | minified | gzip -9 |\n| --- | --- | --- |")
  for (const { what, minified, gzipped: bytes } of sizes) console.log(`| ${what} | ${minified} | ${bytes} |`)
}
