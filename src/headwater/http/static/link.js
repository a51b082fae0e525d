// One connection that reads streams until it is cut: one stream at its own URL, several at `-/many`.

import { Problem, call, prefix, urlOf } from "./common.js";

const QUERY = "envelope=1&reader=page", SILENT = ["keepalive", "cursor", "up-to-date"];

// Reads the paths behind their offsets. Calls told({ path, lines }) with lines of NDJSON, and told({ path, state, ... })
// for each path: "live", then one of "lost", with the pause that the server asks for, and "refused", with the problem.
export class Link {
  constructor(paths, offsets, told) {
    Object.assign(this, { paths, told, state: { state: "connecting" }, abort: new AbortController() });
    this.run(Object.fromEntries(paths.map(path => [path, offsets.get(path)])));
  }

  close() { this.abort.abort(); }

  tell(state) {
    this.state = state;
    for (const path of this.paths) this.told({ path, ...state });
  }

  async run(offsets) {
    const { signal } = this.abort;
    let problem = new Problem({});
    try { await this.read(offsets, signal); } catch (error) { if (error instanceof Problem) problem = error; }
    if (signal.aborted) return;
    const { message, code } = problem;
    this.tell(problem.passing ? { state: "lost", pause: this.pause } : { state: "refused", message, code });
  }

  async read(offsets, signal) {
    const headers = { accept: "application/x-ndjson" }, [first] = this.paths;
    const answer = await (this.paths.length === 1
      ? call("GET", urlOf(first, `?offset=${offsets[first]}&${QUERY}`), { headers, signal })
      : call("POST", `${prefix}-/many?${QUERY}`, { headers, signal, body: JSON.stringify({ streams: offsets }) }));
    if (!answer.body) return;
    this.tell({ state: "live" });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for (let rest = "", part; !(part = await reader.read()).done && !signal.aborted;) {
        const lines = (rest + part.value).split("\n");
        rest = lines.pop();
        this.hand(lines);
      }
    } finally { reader.cancel().catch(() => {}); }
  }

  hand(lines) {
    const found = new Map(this.paths.map(path => [path, []]));
    let trouble = null;
    for (const text of lines) {
      const line = JSON.parse(text);
      if (SILENT.includes(line.control)) continue;
      if (line.control === "detached") this.pause = line.retry_after * 1000;
      if (line.control === "error" && new Problem(line).passing) trouble = new Problem(line);
      for (const path of line.control === "detached" ? this.paths : [line.stream ?? this.paths[0]]) found.get(path)?.push(text);
    }
    for (const [path, texts] of found) if (texts.length) this.told({ path, lines: texts });
    if (trouble) throw trouble; // what passes by is tried again, with all of them
  }
}
