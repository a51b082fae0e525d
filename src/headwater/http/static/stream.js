// One stream: following it, appending to it, and checking that nothing was lost or repeated.
// A stream's object is its token: what comes late for one that is no longer chosen is dropped.

import { $, Problem, call, clock, isJson, isText, make, plural, put, render, seconds, urlOf } from "./common.js";
import { follow, link, plainly } from "./reader.js";
import { Rows, renderRows } from "./rows.js";

const MAX_RECENT = 2000, MAX_AUTO_CHECK = 20_000, MAX_WAITING = 100;
const PHASES = {
  connecting: ["Connecting", "The page asks the server for the stream."],
  live: ["Live", "What is appended appears here at once."],
  reconnecting: ["Reconnecting", "The connection was lost. The page tries again, and goes on at its last offset: nothing is lost or repeated."],
  hidden: ["Hidden", "This tab is not seen and has let go of its connection. It goes on at its last offset when it is seen again."],
  closed: ["Closed", "The stream is complete: its writer has ended it, and nothing more can be appended."],
  failed: ["Failed", "The stream was ended before it was complete, and nothing more can be appended."],
  stopped: ["Stopped", "The stream cannot be read any further; the last line says why."],
};

export let stream = null;

export function choose(path) {
  if (stream) { leave(stream); clearTimeout(stream.timer); }
  stream = path ? {
    path, type: "", closed: false, start: "", last: "", phase: "connecting", since: Date.now(), lostAt: 0, tries: 0,
    reconnects: 0, count: 0, units: 0, recent: [], checked: null, expected: null, verdict: null, view: null,
    writer: null, writing: 0, note: null, waiting: null, unread: null, leave: null,
  } : null;
  if (path) connect(stream);
  render();
}

// The newest page first, and then what follows it.
async function connect(s) {
  try {
    if (!s.last) await begin(s);
    if (s !== stream) return;
    if (s.isBehind) mark(s, "what came before is left out (a gap): it is no longer kept, or the stream was made anew", "warn");
    s.isBehind = false;
    leave(s);
    s.leave = follow(s.path, s.type, s.last, told => { if (s === stream) take(s, told); });
  } catch (problem) {
    if (s !== stream) return;
    if (problem.passing) later(s, problem); else stop(s, problem.message);
    if (problem.status === 404) $("new-path").value ||= s.path;
  }
  render();
}

async function begin(s) {
  const answer = await call("GET", urlOf(s.path, "?offset=now"));
  answer.body?.cancel();
  s.type = answer.headers.get("content-type");
  s.view = new Rows(s.path, s.type, problem => { s.unread = problem && `Records could not be read: ${problem.message} Scroll to try again.`; });
  const page = await s.view.newest();
  s.start = page.previous ?? "-1";
  for (const { offset, data } of page.records) counted(s, offset, data);
  s.last = page.next;
  s.checked = { offset: s.start, units: 0, count: 0 };
}

function leave(s) {
  s.leave?.();
  s.leave = null;
}

function take(s, { record, gap, state, error, end }) {
  if (record) receive(s, s.view.rowOf(record));
  else if (gap) skipped(s, gap);
  else if (error) lost(s, `connection lost at ${clock(Date.now())}`);
  else if (state === "catching-up" || state === "live") opened(s);
  else if (state === "waiting" && s.phase === "live") lost(s, "the server lets its readers go for a moment");
  else if (end) finish(s, end);
}

const saidBy = ({ facts, status, message }) => facts.detail ? new Problem({ ...facts, status }).message : message;

function finish(s, { kind, code, message, offset, error }) {
  if (kind === "closed") ended(s, offset);
  else if (kind === "failed") ended(s, offset, { code, message });
  else if (kind === "deleted") stop(s, "The stream was deleted or has expired.");
  else if (code === "offset-gone") restart(s);
  else if (error) {
    if (error.status === 401) dispatchEvent(new Event("not-signed-in"));
    stop(s, saidBy(error));
  }
}

function opened(s) {
  if (s.phase === "live") return;
  s.tries = 0;
  s.waiting = null;
  setPhase(s, "live");
  if (!s.lostAt) return;
  s.reconnects += 1;
  mark(s, `reconnected after ${seconds(Date.now() - s.lostAt)} at offset ${s.last}`, "good");
  s.lostAt = 0;
  autoCheck(s);
}

function skipped(s, { from, to }) {
  s.last = to;
  s.checked = { offset: to, units: s.units, count: s.count };
  mark(s, `what is between ${from} and ${to} is left out (a gap): it is no longer kept, or the stream was made anew`, "warn");
}

// Where it was is no longer kept: the newest page again.
function restart(s) {
  leave(s);
  Object.assign(s, { last: "", count: 0, units: 0, recent: [], isBehind: true });
  connect(s);
}

function lost(s, text) {
  if (s.lostAt || s.phase !== "live") return;
  s.lostAt = Date.now();
  mark(s, text, "warn");
  setPhase(s, "reconnecting");
}

function later(s, problem) {
  s.waiting = problem.message;
  s.timer = setTimeout(connect, Math.min(1000 * 2 ** s.tries++, 8000), s);
}

function ended(s, offset, failed) {
  leave(s);
  s.closed = true;
  if (failed) mark(s, `the stream failed and is not complete (${failed.code}); it ends at offset ${offset}. ${failed.message ?? ""}`, "bad");
  else mark(s, `the stream is closed; it ends at offset ${offset}`);
  setPhase(s, failed ? "failed" : "closed");
  autoCheck(s);
}

function stop(s, message) {
  leave(s);
  mark(s, message, "bad");
  setPhase(s, "stopped");
}

// A hidden tab that shares its connection keeps it. One that has its own lets go of it: a browser has six to a server.
document.addEventListener("visibilitychange", () => {
  const s = stream;
  if (!s) return;
  if (document.hidden && link() === "own" && ["live", "reconnecting"].includes(s.phase)) {
    leave(s);
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

function receive(s, row) {
  counted(s, row.offset, row.data);
  s.view.add(row);
  settle(s);
  render();
}

function counted(s, offset, data) {
  s.count += 1;
  s.units += unitsOf(s.type, data);
  s.last = offset;
  s.recent.push({ offset, units: s.units });
  if (s.recent.length > 2 * MAX_RECENT) s.recent.splice(0, MAX_RECENT);
}

function mark(s, text, kind = "") {
  s.view ??= new Rows(s.path, s.type);
  s.view.mark(text, kind);
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
  const expected = s.expected, here = s.last;
  if (!expected || (here < expected.offset && s.units < expected.units)) return; // the rest is still on its way
  s.expected = null;
  const found = here <= expected.offset ? s.units : s.recent.find(each => each.offset === expected.offset)?.units;
  if (found === undefined) s.verdict = { text: "The stream was too fast to compare; check again" };
  else if (found === expected.units) {
    s.checked = { ...expected, count: s.count };
    s.verdict = { text: `${plural(found, unitName(s.type))} match${found === 1 ? "es" : ""} the log at ${clock(Date.now())}`, kind: "good" };
  } else s.verdict = { text: `Differs from the log: ${found} here, ${expected.units} there`, kind: "bad" };
  render();
}

// Writing. The client sends what got no answer again, and it is stored once. What is sent is the text as it stands: an
// array is what is between its brackets, which is a record each.

async function append(s, text) {
  if (s.closed || !s.type) return;
  s.note = invalid(s, text);
  render();
  if (s.note) return;
  $("record").value = "";
  s.writing += 1;
  s.writer ??= plainly(s.path, s.type, "").producer({ linger: 0, inFlight: 1 });
  try {
    await s.writer.append(isJson(s.type) ? text.replace(/^\s*\[([^]*)\]\s*$/, "$1") : text);
  } catch (error) {
    s.note = saidBy(error);
    if (s === stream) $("record").value = [text, $("record").value].filter(Boolean).join("\n");
  }
  s.writing -= 1;
  render();
}

const waits = s => s.writing && s.phase === "reconnecting"
  ? `The server does not answer. Trying again: ${plural(s.writing, "append")} waiting, to be stored once.` : null;

function invalid(s, text) {
  if (!text) return "There is nothing to append.";
  if (s.writing >= MAX_WAITING) return `${MAX_WAITING} appends wait for the server already.`;
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

export function renderStream() {
  const s = stream;
  document.title = s ? `${s.path} · Headwater` : "Headwater";
  $("overview").hidden = Boolean(s);
  $("stream").hidden = !s;
  if (!s) return;
  put("path", s.path);
  put("type", s.type);
  $("state").dataset.phase = s.phase;
  put("phase", PHASES[s.phase][0]);
  $("state").title = PHASES[s.phase][1];
  put("since", ["closed", "failed", "stopped"].includes(s.phase) ? `at ${clock(s.since)}` : `since ${clock(s.since)}, ${seconds(Date.now() - s.since)}`);
  put("count", s.count.toLocaleString("en"));
  put("reconnects", String(s.reconnects));
  put("verdict", s.verdict?.text ?? "", s.verdict?.kind ?? "");
  $("check").disabled = !s.checked || s.phase === "stopped";
  put("link", link());
  $("oldest").disabled = !s.view || !s.type;
  $("close").disabled = s.closed || !s.type || s.phase === "stopped";
  $("delete").disabled = !s.type || s.phase === "stopped";
  $("record").disabled = $("close").disabled;
  $("send").disabled = $("close").disabled;
  put("record-label", !s.type ? "Append" : isJson(s.type) ? "Append JSON" : "Append text");
  const trouble = s.note ?? s.waiting ?? waits(s) ?? s.unread;
  put("append-note", trouble ?? hintFor(s), trouble ? "bad" : "");
  $("empty").hidden = s.view?.rows.length > 0 || s.view?.busy;
  put("empty", s.type ? "Nothing here yet. What is appended, here or by anybody else, appears at once." : "");
  if (s.view) renderRows(s.view); else $("rows").replaceChildren();
  if (s.wantsFocus && !$("record").disabled) { s.wantsFocus = false; $("record").focus(); }
}

function hintFor(s) {
  if (s.closed) return "The stream is closed and takes no more records.";
  if (!s.type || s.phase === "stopped") return "";
  return `${isJson(s.type) ? "An array appends each of its values. " : ""}Enter appends, Shift+Enter begins a new line.`;
}

// Listening

$("append").addEventListener("submit", event => { event.preventDefault(); $("record").focus(); append(stream, $("record").value); });
$("record").addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  append(stream, $("record").value);
});
$("check").addEventListener("click", () => check(stream));
$("close").addEventListener("click", () => act(stream, `Close ${stream.path}?`, "It takes no more records, and its readers are told that it is complete. This cannot be undone.", "Close it", "POST", { "stream-closed": "true" }));
$("delete").addEventListener("click", () => act(stream, `Delete ${stream.path}?`, "Its records are gone for everybody. This cannot be undone.", "Delete it", "DELETE"));
$("yes").addEventListener("click", () => $("confirm").close("yes"));
$("no").addEventListener("click", () => $("confirm").close());
