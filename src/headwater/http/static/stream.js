// One stream: reading it with an EventSource, appending to it, and checking that nothing was lost or repeated.
// A stream's object is its token: what comes late for one that is no longer chosen is dropped.

import { $, Problem, call, clock, isJson, isText, make, plural, put, render, seconds, urlOf } from "./common.js";

const MAX_ROWS = 500, MAX_SHOWN = 4000, MAX_COLOURED = 1000, MAX_AUTO_CHECK = 20_000, MAX_WAITING = 100;
const PHASES = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", hidden: "Hidden", closed: "Closed", failed: "Failed", stopped: "Stopped" };

export let stream = null;

export function choose(path, from = "-1") {
  stream?.source?.close();
  clearTimeout(stream?.timer);
  stream = path ? {
    path, from, type: "", closed: false, start: "", last: "", phase: "connecting", since: Date.now(), lostAt: 0, tries: 0,
    reconnects: 0, count: 0, repeated: 0, units: 0, checked: null, expected: null, verdict: null,
    rows: [], rowId: 0, outbox: [], note: null, waiting: null, producer: crypto.getRandomValues(new Uint32Array(4)).join("-"), seq: 0,
  } : null;
  if (path) connect(stream);
  render();
}

async function connect(s) {
  try {
    const answer = await call("GET", urlOf(s.path, `?offset=${s.last || (s.start === "-1" ? "" : s.start) || "now"}`));
    answer.body?.cancel();
    if (s !== stream) return;
    s.type = answer.headers.get("content-type");
    // Not offset=now: if the connection broke before the first record, "now" would be another place.
    s.start ||= s.from === "now" ? answer.headers.get("stream-next-offset") : "-1";
    s.checked ??= { offset: s.start, units: 0, count: 0 };
    listen(s);
  } catch (problem) {
    if (s !== stream) return;
    if (problem.passing) later(s, problem); else stop(s, problem.message);
    if (problem.status === 404) $("new-path").value ||= s.path;
  }
  render();
}

function listen(s) {
  const source = s.source = new EventSource(urlOf(s.path, `?offset=${s.last || s.start}&reader=page&envelope=1`));
  source.onopen = () => opened(s);
  source.onmessage = event => receive(s, event.lastEventId, unpack(s.type, event.data));
  // The browser reconnects by itself, with Last-Event-ID; after any answer but 200 it gives up, and connect() asks why.
  source.onerror = () => source.readyState === EventSource.CLOSED ? later(s) : lost(s);
  source.addEventListener("stream-closed", event => ended(s, event.lastEventId));
  source.addEventListener("stream-failed", event => ended(s, event.lastEventId, JSON.parse(event.data)));
  source.addEventListener("stream-detached", () => mark(s, "the server lets its readers go for a moment"));
  source.addEventListener("stream-error", event => {
    const problem = new Problem(JSON.parse(event.data));
    if (problem.passing) mark(s, problem.message, "warn"); else stop(s, problem.message);
  });
}

// The record as it was appended, and when: JSON keeps its own bytes, which a parsed value would lose.
function unpack(type, text) {
  const { at, data, base64 } = JSON.parse(text);
  if (isJson(type)) return { at, data: text.slice(text.indexOf('"data":') + 7, -1) };
  if (base64 === undefined || !isText(type)) return { at, data: data ?? base64 };
  return { at, data: new TextDecoder().decode(Uint8Array.from(atob(base64), byte => byte.charCodeAt(0))) };
}

function opened(s) {
  s.tries = 0;
  s.waiting = null;
  setPhase(s, "live");
  if (!s.lostAt) return;
  s.reconnects += 1;
  mark(s, `reconnected after ${seconds(Date.now() - s.lostAt)} at offset ${s.last || s.start}`, "good");
  s.lostAt = 0;
  autoCheck(s);
}

function lost(s) {
  if (s.lostAt) return;
  s.lostAt = Date.now();
  mark(s, `connection lost at ${clock(s.lostAt)}`, "warn");
  setPhase(s, "reconnecting");
}

function later(s, problem) {
  s.source?.close();
  if (s.source) lost(s); else s.waiting = problem.message;
  s.timer = setTimeout(connect, Math.min(1000 * 2 ** s.tries++, 8000), s);
}

function ended(s, offset, failed) {
  s.source.close();
  s.closed = true;
  if (failed) mark(s, `the stream failed and is not complete (${failed.code}); it ends at offset ${offset}. ${failed.message ?? ""}`, "bad");
  else mark(s, `the stream is closed; it ends at offset ${offset}`);
  setPhase(s, failed ? "failed" : "closed");
  autoCheck(s);
}

function stop(s, message) {
  s.source?.close();
  mark(s, message, "bad");
  setPhase(s, "stopped");
}

// Over HTTP/1.1 a browser has six connections to a server, for all its tabs together: a hidden tab lets go of its own.
document.addEventListener("visibilitychange", () => {
  const s = stream;
  if (!s) return;
  if (document.hidden && s.source && ["live", "reconnecting"].includes(s.phase)) {
    s.source.close();
    clearTimeout(s.timer);
    s.source = null;
    s.lostAt = 0;
    setPhase(s, "hidden");
  } else if (!document.hidden && s.phase === "hidden") {
    setPhase(s, "connecting");
    connect(s);
  }
});

function setPhase(s, phase) {
  if (s.phase !== phase) s.since = Date.now();
  s.phase = phase;
  render();
}

function receive(s, offset, { at, data }) {
  const again = s.last !== "" && offset <= s.last; // offsets sort as text
  if (again) s.repeated += 1;
  else { s.count += 1; s.units += unitsOf(s.type, data); s.last = offset; }
  addRow(s, { n: s.count, at: at * 1000, offset, data, again, units: s.units });
  settle(s);
}

function mark(s, text, kind = "") { addRow(s, { mark: text, kind }); }

function addRow(s, row) {
  s.rows.push({ id: ++s.rowId, ...row });
  if (s.rows.length > MAX_ROWS) s.rows.shift();
  render();
}

// Was anything lost or repeated? The log is read again from the last check on, and what it has must equal what was
// shown up to the same offset: in values (JSON), characters but line breaks (text), or bytes (base64).

const unitsOf = (type, data) => isJson(type) ? 1 : isText(type) ? data.replace(/[\r\n]/g, "").length : atob(data).length;
const unitName = type => isJson(type) ? "record" : isText(type) ? "character" : "byte";

function autoCheck(s) { if (s.count - s.checked.count < MAX_AUTO_CHECK) check(s); }

async function check(s) {
  if (s.checking) return;
  s.checking = true;
  s.verdict = { text: "Reading the log" };
  render();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let { offset, units } = s.checked, more = true;
  try {
    while (more && s === stream) {
      const answer = await call("GET", urlOf(s.path, `?offset=${offset}`));
      const body = await answer.arrayBuffer();
      if (isJson(s.type)) units += JSON.parse(new TextDecoder().decode(body)).length;
      else units += isText(s.type) ? unitsOf(s.type, decoder.decode(body, { stream: true })) : body.byteLength;
      offset = answer.headers.get("stream-next-offset");
      more = !answer.headers.has("stream-up-to-date");
    }
    s.expected = { offset, units };
    settle(s);
  } catch (problem) {
    s.verdict = { text: problem.message, kind: "bad" };
  }
  s.checking = false;
  render();
}

function settle(s) {
  const expected = s.expected, here = s.last || s.start;
  if (!expected || (here < expected.offset && s.units < expected.units)) return; // the rest is still on its way
  s.expected = null;
  const found = here <= expected.offset ? s.units : s.rows.find(row => row.offset === expected.offset)?.units;
  if (found === undefined) s.verdict = { text: "The stream was too fast to compare; check again" };
  else if (found === expected.units) {
    s.checked = { ...expected, count: s.count };
    s.verdict = { text: `${plural(found, unitName(s.type))} match${found === 1 ? "es" : ""} the log at ${clock(Date.now())}`, kind: "good" };
  } else s.verdict = { text: `Differs from the log: ${found} here, ${expected.units} there`, kind: "bad" };
  render();
}

// Writing. The page is an idempotent producer: it repeats an append that got no answer, and it is stored once.

function append(s, text) {
  if (s.closed || !s.type) return;
  s.note = invalid(s, text);
  if (!s.note) {
    $("record").value = "";
    if (s.outbox.push(text) === 1) send(s);
  }
  render();
}

async function send(s) {
  while (s.outbox.length) {
    try {
      const headers = { "content-type": s.type, "producer-id": s.producer, "producer-epoch": "0", "producer-seq": String(s.seq) };
      await call("POST", urlOf(s.path), { body: s.outbox[0], headers });
      s.seq += 1;
      s.outbox.shift();
      s.waiting = null;
    } catch (problem) {
      if (problem.passing) {
        s.waiting = `${problem.message} Trying again: ${plural(s.outbox.length, "append")} waiting, to be stored once.`;
        render();
        await new Promise(resolve => setTimeout(resolve, 1000));
      } else {
        s.note = problem.message;
        const refused = s.outbox.shift();
        if (s === stream) $("record").value = [refused, $("record").value].filter(Boolean).join("\n");
      }
    }
    render();
  }
}

function invalid(s, text) {
  if (!text) return "There is nothing to append.";
  if (s.outbox.length >= MAX_WAITING) return `${MAX_WAITING} appends wait for the server already.`;
  if (!isJson(s.type)) return null;
  try { JSON.parse(text); return null; } catch (error) { return `This is not JSON: ${error.message}. Nothing was sent.`; }
}

async function act(s, title, text, verb, method, headers) {
  [$("confirm-title").textContent, $("confirm-text").textContent, $("yes").textContent] = [title, text, verb];
  $("confirm").returnValue = "";
  $("confirm").showModal();
  await new Promise(resolve => $("confirm").addEventListener("close", resolve, { once: true }));
  if ($("confirm").returnValue !== "yes") return;
  try {
    await call(method, urlOf(s.path), { headers });
    if (method === "DELETE" && s === stream) { location.hash = ""; choose(""); }
    $(method === "DELETE" ? "new-path" : "log").focus();
  } catch (problem) {
    s.note = problem.message;
  }
  dispatchEvent(new Event("streams-changed"));
}

// Showing

let shownStream = null, shownRow = 0;

export function renderStream() {
  const s = stream;
  document.title = s ? `${s.path} · Headwater` : "Headwater";
  $("overview").hidden = Boolean(s);
  $("stream").hidden = !s;
  if (!s) return;
  put("path", s.path);
  put("type", s.type);
  $("state").dataset.phase = s.phase;
  put("phase", PHASES[s.phase]);
  put("since", ["closed", "failed", "stopped"].includes(s.phase) ? `at ${clock(s.since)}` : `since ${clock(s.since)}, ${seconds(Date.now() - s.since)}`);
  put("count", s.count.toLocaleString("en"));
  put("repeated", String(s.repeated), s.repeated ? "bad" : "");
  put("reconnects", String(s.reconnects));
  put("verdict", s.verdict?.text ?? "", s.verdict?.kind ?? "");
  $("check").disabled = !s.checked || s.phase === "stopped";
  $("from").value = s.from;
  $("close").disabled = s.closed || !s.type || s.phase === "stopped";
  $("delete").disabled = !s.type || s.phase === "stopped";
  $("record").disabled = $("close").disabled;
  $("send").disabled = $("close").disabled;
  put("record-label", !s.type ? "Append" : isJson(s.type) ? "Append JSON" : "Append text");
  put("append-note", s.note ?? s.waiting ?? hintFor(s), s.note || s.waiting ? "bad" : "");
  renderRows(s);
  if (s.wantsFocus && !$("record").disabled) { s.wantsFocus = false; $("record").focus(); }
}

function hintFor(s) {
  if (s.closed) return "The stream is closed and takes no more records.";
  if (!s.type || s.phase === "stopped") return "";
  return `${isJson(s.type) ? "An array appends each of its values. " : ""}Enter appends, Shift+Enter begins a new line.`;
}

function renderRows(s) {
  const log = $("log"), rows = $("rows");
  const follow = s !== shownStream || log.scrollHeight - log.scrollTop - log.clientHeight < 48;
  if (s !== shownStream) { rows.replaceChildren(); shownStream = s; shownRow = 0; }
  const news = s.rows.filter(row => row.id > shownRow);
  shownRow = s.rowId;
  rows.append(...news.map(row => row.mark === undefined ? recordRow(s, row) : make("li", `mark ${row.kind}`, row.mark)));
  while (rows.children.length > MAX_ROWS) rows.firstChild.remove();
  $("empty").hidden = s.rows.length > 0;
  put("empty", s.type ? `Nothing ${s.from === "now" ? "new" : "here"} yet. What is appended, here or by anybody else, appears at once.` : "");
  if (follow && news.length) log.scrollTop = log.scrollHeight;
  $("newest").hidden = follow;
}

function recordRow(s, row) {
  const zeros = row.offset.match(/^[0_]*/)[0];
  const offset = make("span", "offset", make("bdi", "", make("i", "", zeros), row.offset.slice(zeros.length)));
  const line = make("li", row.again ? "again" : "", make("span", "n", String(row.n)), make("span", "at", clock(row.at)), offset);
  const shown = row.data.length > MAX_SHOWN ? `${row.data.slice(0, MAX_SHOWN)} … (${plural(row.data.length, "character")})` : row.data;
  line.append(make("span", "data", ...isJson(s.type) && shown.length <= MAX_COLOURED ? coloured(shown) : [shown]));
  return line;
}

function coloured(json) {
  return json.split(/("(?:\\.|[^"\\])*"\s*:?)/).flatMap(part => {
    if (part.startsWith('"')) return part.endsWith(":") ? [make("span", "k", part)] : [part];
    return part.split(/([-\w.+]+)/).map((word, index) => index % 2 ? make("span", "v", word) : word);
  });
}

// Listening

$("append").addEventListener("submit", event => { event.preventDefault(); $("record").focus(); append(stream, $("record").value); });
$("record").addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  append(stream, $("record").value);
});
$("from").addEventListener("change", () => choose(stream.path, $("from").value));
$("check").addEventListener("click", () => check(stream));
$("close").addEventListener("click", () => act(stream, `Close ${stream.path}?`, "It takes no more records, and its readers are told that it is complete. This cannot be undone.", "Close it", "POST", { "stream-closed": "true" }));
$("delete").addEventListener("click", () => act(stream, `Delete ${stream.path}?`, "Its records are gone for everybody. This cannot be undone.", "Delete it", "DELETE"));
$("yes").addEventListener("click", () => $("confirm").close("yes"));
$("no").addEventListener("click", () => $("confirm").close());
$("newest").addEventListener("click", () => { $("log").scrollTop = $("log").scrollHeight; });
$("log").addEventListener("scroll", render, { passive: true });
