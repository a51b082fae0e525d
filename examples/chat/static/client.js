// Runs over HTTP: ask, follow, stop. A run is told as an event stream in the `ai-sdk` dialect; each event that may be
// gone on from has an id, the offset in the run's log.
//
// Rule 1: whatever ends a connection, the run's own state decides whether it has ended. A cut is not an end.
// Rule 2: what came after the last id is kept back until the next id: it is told again after a cut.

const SILENCE = 45_000;
const LONGEST = 5_000;

/** Wait; shorter when the network comes back. */
function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    signal?.addEventListener("abort", done);
  });
}

/** Milliseconds before try number n: longer each time, and not the same for every page. */
export function pauseBefore(attempt) {
  return Math.min(LONGEST, 200 * 2 ** attempt) * (0.75 + Math.random() / 2);
}

function mayRetry(status) {
  return status === 429 || status >= 500;
}

/**
 * POST until it is answered. What is sent must be harmless to send again.
 *
 * @param {(attempt: number) => void} retrying told before each further try
 * @throws {Error} refused, in the server's words
 */
export async function post(url, { body, headers = {}, signal, retrying = () => {} } = {}) {
  const sent = { method: "POST", headers: { "content-type": "application/json", ...headers }, signal };
  if (body !== undefined) sent.body = JSON.stringify(body);
  for (let attempt = 0; ; attempt += 1) {
    let response = null;
    try {
      response = await fetch(url, sent);
    } catch (error) {
      if (signal?.aborted) throw error;
    }
    if (response?.ok) return response;
    if (response !== null && !mayRetry(response.status)) throw new Error((await response.text()).slice(0, 300));
    retrying(attempt + 1);
    await wait(pauseBefore(attempt), signal);
    signal?.throwIfAborted();
  }
}

/** The events of a response: `{ id, data }`, as the HTML standard reads them, but without names. */
async function* events(reader, alive) {
  let rest = "";
  let id = "";
  let data = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines.map((line) => line.replace(/\r$/, ""))) {
      if (line === "") {
        if (data.length) yield { id, data: data.join("\n") };
        id = "";
        data = [];
      } else if (line.startsWith("id:")) id = line.slice(3).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
  }
}

/**
 * Follows one run to its end, through any number of connections.
 *
 * Calls `on.connected({ offset, attempt })`, `on.reset()` before an answer that is told from its start,
 * `on.text(delta, offset)`, `on.waiting(attempt)` when it will try again, and once `on.ended({ state, message, usage })`
 * with a state of `finished`, `failed`, `stopped`, `lost` or `missing`.
 */
export class RunReader {
  #aborter = null;

  constructor(run, on) {
    this.run = run;
    this.on = on;
    this.offset = "";
    this.ended = false;
    this.usage = null;
  }

  /** Begin, or go on behind the last offset. @param {Response} [first] an answer that tells the run already */
  async follow(first) {
    this.leave();
    const aborter = (this.#aborter = new AbortController());
    const { signal } = aborter;
    for (let attempt = 0; !this.ended; ) {
      const before = this.offset;
      try {
        if (await this.#connect(first, attempt, signal)) return;
      } catch {
        // Cut: the state is asked below, or at the next try.
      }
      if (signal.aborted) return;
      first = undefined;
      attempt = this.offset === before ? attempt + 1 : 1;
      this.on.waiting(attempt);
      await wait(pauseBefore(attempt - 1), signal);
      if (signal.aborted) return;
    }
  }

  /** Let go of the connection; the run goes on. */
  leave() {
    this.#aborter?.abort();
  }

  /** True: the run has ended. */
  async #connect(first, attempt, signal) {
    const query = this.offset ? `&offset=${encodeURIComponent(this.offset)}` : "";
    const url = `/api/runs/${this.run}/stream?dialect=ai-sdk${query}`;
    const response = first ?? (await fetch(url, { signal, cache: "no-store" }));
    if (response.status === 404) return this.#end({ state: "missing", message: "" });
    if (response.status === 400 || response.status === 410) this.offset = "";  // not of this log: from the start
    if (!response.ok) throw new Error(String(response.status));
    if (!this.offset) this.on.reset();
    this.on.connected({ offset: this.offset, attempt });
    if (await this.#take(response, signal)) return this.#end({ state: "finished", message: "" });
    signal.throwIfAborted();
    const state = await fetch(`/api/runs/${this.run}`, { signal, cache: "no-store" });
    if (state.status === 404) return this.#end({ state: "missing", message: "" });
    if (!state.ok) throw new Error(String(state.status));
    const info = await state.json();
    return info.state !== "running" && this.#end(info);
  }

  /** Take what comes; true: the run has finished. */
  async #take(response, signal) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const cancel = () => reader.cancel().catch(() => {});
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(cancel, SILENCE);
    };
    alive();
    signal.addEventListener("abort", cancel);
    let pending = [];
    let finished = false;
    try {
      for await (const { id, data } of events(reader, alive)) {
        if (signal.aborted) return false;
        if (data === "[DONE]") {
          for (const chunk of pending) this.#tell(chunk);
          return finished;
        }
        const chunk = JSON.parse(data);
        pending.push(chunk);
        if (chunk.type === "finish") finished = chunk.finishReason !== "error" && chunk.finishReason !== "other";
        if (chunk.type === "error" || chunk.type === "abort") finished = false;
        if (!id) continue;
        this.offset = id;
        for (const known of pending) this.#tell(known);
        pending = [];
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      cancel();
    }
    return false;
  }

  #tell(chunk) {
    if (chunk.type === "text-delta") this.on.text(chunk.delta, this.offset);
    if (chunk.type === "finish") this.usage = chunk.messageMetadata?.usage ?? null;
  }

  #end({ state, message, offset }) {
    this.ended = true;
    if (offset) this.offset = offset;
    this.on.ended({ state, message, usage: this.usage });
    return true;
  }
}
