/** JSON arrays, taken apart. */

/** What has a meaning in the structure of an array: marks, and what hides one in a string. All else is passed over. */
const TOKEN = /\\.|["[\]{},]/gs

/** The elements of a JSON array: their values, and their own text. */
export function elementsOf(text: string): { raw: string; value: unknown }[] {
  const values: unknown = JSON.parse(text)
  if (!Array.isArray(values)) throw new SyntaxError("no JSON array")
  const raws: string[] = []
  let isString = false
  let depth = 0
  let from = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '"') isString = !isString
    if (isString) continue
    const opens = token === "[" || token === "{"
    if (opens) depth += 1
    else if (token === "]" || token === "}") depth -= 1
    if (opens && depth === 1) from = index + 1
    else if (!depth || (depth === 1 && token === ",")) {
      raws.push(text.slice(from, index).trim())
      from = index + 1
    }
  }
  return values.map((value: unknown, index) => ({ raw: raws[index] ?? "", value }))
}
