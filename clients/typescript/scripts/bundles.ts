/**
 * The client in one file, for pages that are served without a build step. What is in the repository is what this makes: the tests
 * make it again and compare.
 */

import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

export const root: string = fileURLToPath(new URL("..", import.meta.url))

/** Files, from the root of the repository on, and what they export. */
export const BUNDLES: Record<string, string> = {
  "examples/chat/static/headwater.js": 'export { stream } from "./src/index.ts"',
  "src/headwater/http/static/headwater.js":
    'export { stream } from "./src/index.ts"; export { connect } from "./src/connection.ts"; export { tabs } from "./src/tabs.ts"',
}

const BANNER = "// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited."

export async function bundle(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    charset: "ascii",
    banner: { js: BANNER },
    // By lines, a change of the sources is one that can be looked at.
    lineLimit: 120,
    write: false,
  })
  return (outputFiles[0] as { text: string }).text
}

/** Where a file of BUNDLES is. */
export const placeOf = (file: string): string => `${root}../../${file}`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, code] of Object.entries(BUNDLES)) {
    const text = await bundle(code)
    const place = placeOf(file)
    if (readFileSync(place, { encoding: "utf8", flag: "a+" }) !== text) writeFileSync(place, text)
  }
}
