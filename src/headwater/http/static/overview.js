// What the server is doing now: one request a second for figures of one moment, drawn by hand.

import { $, base, bytes, call, clock, encodePath, lasting, make, millis, plural, put, render, short, whole } from "./common.js";
import { History, mean, quantile } from "./history.js";
import { Spark } from "./spark.js";
import { stream } from "./stream.js";

const PATIENCE_MS = 5000, BUSIEST = 6;
const WIRES = { events: "SSE", sse: "SSE, live=sse", ndjson: "NDJSON", "long-poll": "Long-poll", websocket: "WebSocket", "in-process": "In process" };
const STATES = ["live", "catching-up", "paused"];
const percent = share => `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;
// Each: its title, what it means, the point's value, how it is written, a line of detail, and the least top of its scale.
const TILES = [
  { title: "Appends", about: "Requests that wrote to a stream", key: "appends", say: short, unit: "/s", top: 1 },
  { title: "Deliveries", about: "Records given to live readers: one that ten readers get is ten", key: "deliveries", say: short, unit: "/s", top: 1 },
  { title: "Lag, p99", about: "From the commit of a record until it is written to a reader's socket; 99 of 100 are faster", key: "p99", say: millis, detail: point => point.p50 === null ? "" : `p50 ${millis(point.p50)}`, top: 0.001 },
  { title: "Readers", about: "Live readers: each follows one stream", key: "readers", say: whole, top: 1 },
  { title: "Buffered", about: "Bytes that wait because readers do not take them", key: "held", say: bytes, top: 1000 },
  { title: "Event loop delay, p99", about: "How late the server's event loop is; 99 of 100 times less. All else waits as long", key: "delay", say: millis, top: 0.001 },
  { title: "Processor", about: "Time of the processor that the server takes", key: "cpu", say: percent, detail: () => "of one core", top: 0.1 },
  { title: "Memory", about: "Memory that the process holds", key: "memory", say: bytes, top: 1e6 },
];
// What is worth a look when it grows: its name, what it means, and the counter.
const EVENTS = [
  ["Resumed", "Readers that came back with the offset of the last record they had", one => one.stats.resumes],
  ["Went away", "Clients that closed their connection before the response was complete", one => one.stats.disconnects],
  ["Fell behind", "Readers whose connection was full; they go on from the log when it has drained", one => one.stats.pauses],
  ["Gaps told", "Readers that were told that records were left out, as their policy for slow readers asks", one => total(one.stats.gaps)],
  ["Shed", "Readers let go because all full readers together held more than max_buffered_bytes; they resume", one => one.stats.sheds],
  ["Stalled, cut", "Readers that took nothing for write_seconds", one => one.stats.stalls, true],
  ["Kept sending, cut", "Readers that went on sending behind their request", one => one.stats.unasked, true],
  ["Refused", "Requests answered with an error", one => total(one.stats.errors), true],
];
const total = counts => typeof counts === "object" ? Object.values(counts).reduce((sum, count) => sum + count, 0) : counts;
const state = { history: new History(), problem: null, at: 0, busy: false, paused: false, marked: null, changed: false };

export async function look() {
  if (state.busy || state.paused) return;
  state.busy = true;
  try {
    const overview = await (await call("GET", `${base}-/overview`, { signal: AbortSignal.timeout(PATIENCE_MS) })).json();
    state.history.add(overview);
    state.problem = null;
    state.at = Date.now();
  } catch (problem) {
    state.problem = problem.message;
  }
  state.busy = false;
  state.changed = true;
  render();
}

// Showing

export function renderOverview() {
  if (!state.changed) return;
  state.changed = false;
  renderHealth();
  const now = state.history.snapshots.at(-1);
  if (!now) return;
  if (state.history.points.length === 1 && !now.stats.streams) $("start").open = true;
  put("version", now.version);
  put("now", [plural(now.stats.streams, "stream"), plural(now.readers.total, "reader")].join(" · "));
  if (stream) return;
  renderTiles(state.history.points);
  renderBehind(now.readers.behind);
  renderWires(now.readers.by);
  renderBusiest(now.busiest.slice(0, BUSIEST));
  renderEvents(now);
  renderStore(now.stats.store);
}

function renderHealth() {
  const { problem, paused, at } = state, now = state.history.snapshots.at(-1);
  $("health").dataset.phase = problem ? "reconnecting" : paused ? "paused" : at ? "live" : "connecting";
  put("health-phase", problem ? "No figures" : paused ? "Paused" : at ? "Live" : "Connecting");
  put("health-since", problem ? problem + (at ? ` These are from ${clock(at)}.` : "") : paused ? `at ${clock(at)}` : now ? `up ${lasting(now.uptime_seconds)}` : "");
}

const tiles = TILES.map(tile => {
  const spark = new Spark(), value = make("b", ""), unit = make("span", "unit", tile.unit ?? ""), detail = make("span", "detail");
  const title = make("h3", "", tile.title);
  title.title = tile.about;
  const node = make("section", "tile", title, make("p", "", value, unit, detail), spark.node);
  return { ...tile, node, spark, value, detail };
});

function renderTiles(points) {
  const index = state.marked === null ? points.length - 1 : points.length - state.marked;
  const point = points[Math.max(0, index)];
  for (const tile of tiles) {
    const values = points.map(one => one[tile.key]), known = values.filter(Number.isFinite), peak = Math.max(0, ...known);
    const shown = point[tile.key];
    tile.value.textContent = Number.isFinite(shown) ? tile.say(shown) : "–";
    tile.detail.textContent = state.marked === null ? said(tile, point, peak) : `at ${clock(point.at)}`;
    tile.spark.draw(values, state.history.span, Math.max(peak, tile.top), state.marked === null ? null : Math.max(0, index));
    tile.spark.node.setAttribute("aria-label", `${tile.title} over two minutes: now ${tile.value.textContent}${tile.unit ?? ""}, at most ${tile.say(peak)}${tile.unit ?? ""}`);
  }
}

function said(tile, point, peak) {
  const own = TILES.find(one => one.key === tile.key).detail;
  if (!Number.isFinite(point[tile.key])) return "";
  return own ? own(point) : tile.say(peak) === tile.say(point[tile.key]) ? "" : `peak ${tile.say(peak)}`;
}

// Rows of a table: made anew only where their text differs, so that a selection and a focus stay.
function fill(body, rows) {
  rows.forEach((cells, index) => {
    const key = JSON.stringify(cells.map(cell => cell.text ?? cell.key)), row = body.children[index];
    if (row?.dataset.key === key) return;
    const fresh = make("tr", "", ...cells.map(cell => {
      const node = make(cell.tag ?? "td", cell.kind ?? "", ...(cell.nodes?.() ?? [cell.text]));
      if (cell.title) node.title = cell.title;
      return node;
    }));
    fresh.dataset.key = key;
    if (row) row.replaceWith(fresh); else body.append(fresh);
  });
  while (body.children.length > rows.length) body.lastChild.remove();
}

function linkTo(path) {
  const link = make("a", "path", path);
  link.href = `#${encodePath(path)}`;
  link.title = path;
  return link;
}

function renderBehind(behind) {
  $("behind").closest("div").hidden = !behind.length;
  put("behind-none", behind.length ? "" : "Nobody is behind: every reader has what there is.");
  fill($("behind"), behind.map(info => {
    const name = info.name ?? info.address ?? `${info.wire} ${info.number}`;
    return [
      { text: name, kind: `name state ${info.state}`, title: [info.address, WIRES[info.wire] ?? info.wire, info.policy].filter(Boolean).join(" · ") },
      { key: info.path, nodes: () => [linkTo(info.path)] },
      { text: info.state, kind: "spare" },
      { text: behindBy(info), kind: "r" },
      { text: info.held === null ? "–" : bytes(info.held), kind: "r spare" },
      { text: info.full_seconds ? lasting(info.full_seconds) : "–", kind: "r" },
    ];
  }));
}

function behindBy(info) {
  if (info.lag_records !== null) return info.lag_records ? plural(info.lag_records, "record") : "–";
  return info.lag_bytes === null ? "?" : bytes(info.lag_bytes);
}

function renderWires(by) {
  const wires = new Map();
  for (const { wire, state: at, readers } of by) wires.set(wire, { ...wires.get(wire), [at]: readers });
  const sum = counts => Object.values(counts).reduce((total, count) => total + count, 0);
  const sorted = [...wires].sort(([, a], [, b]) => sum(b) - sum(a)), most = Math.max(1, ...sorted.map(([, counts]) => sum(counts)));
  $("wires").closest("div").hidden = !sorted.length;
  put("wires-none", sorted.length ? "" : "No live readers.");
  fill($("wires"), sorted.map(([wire, counts]) => [
    { tag: "th", key: JSON.stringify([wire, counts, most]), nodes: () => [WIRES[wire] ?? wire, bar(STATES.map(at => [at, (counts[at] ?? 0) / most]))] },
    ...STATES.map(at => ({ text: counts[at] ? whole(counts[at]) : "–", kind: counts[at] ? "r" : "r faint" })),
  ]));
}

function bar(parts) {
  const node = make("span", "bar");
  for (const [kind, share] of parts) if (share) node.appendChild(make("i", kind)).style.width = `${Math.max(share * 100, 1)}%`;
  return node;
}

function renderBusiest(busiest) {
  put("busiest-none", busiest.length ? "" : "No stream has readers.");
  const most = busiest[0]?.readers ?? 1, node = $("busiest"), key = JSON.stringify(busiest);
  if (node.dataset.key === key) return;
  const focused = document.activeElement?.closest?.("#busiest a")?.title;
  node.dataset.key = key;
  node.replaceChildren(...busiest.map(({ path, readers }) => make("li", "", linkTo(path), make("span", "r", whole(readers)), bar([["some", readers / most]]))));
  if (focused) [...node.querySelectorAll("a")].find(link => link.title === focused)?.focus();
}

function renderEvents(now) {
  fill($("events"), EVENTS.filter(([, , read]) => read(now) !== undefined).map(([name, meaning, read, bad]) => {
    const recent = state.history.grown(read), all = read(now);
    return [
      { tag: "th", text: name, title: meaning },
      { text: recent ? whole(recent) : "–", kind: recent ? bad ? "r bad" : "r" : "r faint" },
      { text: all ? whole(all) : "–", kind: all ? "r" : "r faint", title: bad ? codes(now.stats.errors, name) : "" },
    ];
  }));
}

const codes = (errors, name) => name === "Refused" ? Object.entries(errors).map(([code, count]) => `${code}: ${whole(count)}`).join("\n") : "";

function renderStore(store) {
  $("store").hidden = !store;
  if (!store) return;
  const before = state.history.snapshots[0].stats.store, commits = one => total(one.commit_sizes.counts);
  const size = mean(store.commit_sizes, before.commit_sizes), p99 = quantile(0.99, store.commit_seconds, before.commit_seconds);
  const facts = [
    ["Commits", "Transactions: what came while one ran goes into the next together", commits(store) - commits(before) ? `${whole(commits(store) - commits(before))} in 2 min` : "–"],
    ["Appends in one", "How many appends a commit had, on average", size === null ? "–" : size.toFixed(1)],
    ["Commit, p99", "How long a commit takes until it is on the disk; 99 of 100 are faster", p99 === null ? "–" : millis(p99)],
    ["Waiting", "Bytes of appends that wait for the next commit", bytes(store.queue_bytes)],
    ["Log on disk", "The write-ahead log of SQLite, which is moved to the database from time to time", bytes(store.wal_bytes)],
    ["Database", "The file with all streams", bytes(store.file_bytes)],
    ...store.failed_commits ? [["Failed commits", "Commits that the disk did not take; none of their appends happened", whole(store.failed_commits), "bad"]] : [],
  ];
  const node = $("store-facts"), key = JSON.stringify(facts);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(...facts.map(([name, about, text, kind]) => {
    const title = make("dt", "", name);
    title.title = about;
    return make("div", "", title, make("dd", kind, text));
  }));
}

// Listening

function mark(event) {
  const box = event.target.closest(".tile")?.querySelector("svg").getBoundingClientRect(), count = state.history.points.length;
  if (!box) return;
  const back = Math.round((box.right - event.clientX) / box.width * (state.history.span - 1)) + 1;
  state.marked = Math.min(Math.max(back, 1), Math.max(count, 1));
  state.changed = true;
  render();
}

$("tiles").append(...tiles.map(tile => tile.node));
$("tiles").addEventListener("pointermove", mark, { passive: true });
$("tiles").addEventListener("pointerleave", () => { state.marked = null; state.changed = true; render(); });
$("pause").addEventListener("click", () => {
  state.paused = !state.paused;
  $("pause").setAttribute("aria-pressed", String(state.paused));
  $("pause").textContent = state.paused ? "Go on" : "Pause";
  state.changed = true;
  if (!state.paused) look();
  render();
});
addEventListener("hashchange", () => { state.changed = true; render(); });
