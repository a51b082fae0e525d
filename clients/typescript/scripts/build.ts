/** Makes dist: one module an entry, with the parts that they share beside them, and the types. */

import { execFileSync } from "node:child_process"
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))
const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { exports: Record<string, unknown> }

/** The entries of the package; each is src/NAME.ts. */
export const entries: string[] = Object.keys(exports).map((name) => (name === "." ? "index" : name.slice(2)))

rmSync(`${root}dist`, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(entries.map((entry) => [entry, `./src/${entry}.ts`])),
  outdir: "dist",
  bundle: true,
  // React is the application's own, and the only package that is imported.
  packages: "external",
  splitting: true,
  chunkNames: "shared/[hash]",
  format: "esm",
  target: "es2022",
  sourcemap: true,
})
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", `${root}tsconfig.build.json`], { stdio: "inherit" })

// Declarations keep the sources' own suffix, which is not beside them once the package is installed.
for (const file of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".d.ts")) continue
  const text = readFileSync(`${root}dist/${file}`, "utf8")
  writeFileSync(`${root}dist/${file}`, text.replace(/(from "\.[^"]*)\.ts"/g, '$1.js"'))
}
