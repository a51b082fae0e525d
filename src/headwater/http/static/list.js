// The streams there are, by the beginning of their path, and making a new one.

import { $, Problem, base, bytes, call, clock, encodePath, isJson, make, plural, put, render, urlOf, whole } from "./common.js";
import { choose, stream } from "./stream.js";

const PAGE = 200, MAX = 1000;
const list = { streams: [], note: "Loading", createNote: null, at: 0, more: false, wanted: PAGE, busy: false, again: false, shown: null };

export async function refreshList() {
  if (list.busy) { list.again = true; return; }
  list.busy = true;
  const beginning = $("find").value.trim();
  try {
    const found = await (await call("GET", `${base}-/streams?limit=${list.wanted}&prefix=${encodeURIComponent(beginning)}`)).json();
    list.streams = found.streams;
    list.more = found.next !== null;
    list.at = Date.now();
    list.note = found.streams.length ? "" : beginning ? `No path begins with ${beginning}` : "No streams yet.";
    if (list.more) list.note = `The first ${whole(found.streams.length)} are shown.${list.wanted < MAX ? "" : " Find others by the beginning of their path."}`;
    if (list.more || beginning) $("find").hidden = false;
  } catch (problem) {
    list.note = problem.message + (list.at ? ` The list is from ${clock(list.at)}.` : "");
  }
  list.busy = false;
  if (list.again) { list.again = false; await refreshList(); }
  render();
}

async function create(path, type) {
  list.createNote = null;
  try {
    if (/(^|\/)\.{1,2}(\/|$)/.test(path)) throw new Problem({ status: 400, detail: "A path has no segment '.' or '..'." });
    await call("PUT", urlOf(path), { headers: { "content-type": type } });
    $("new-path").value = "";
    location.hash = encodePath(path);
    if (path !== stream?.path || stream.phase === "stopped") choose(path);
    stream.wantsFocus = true;
    await refreshList();
  } catch (problem) {
    list.createNote = problem.message;
  }
  render();
}

export function renderList() {
  put("streams-note", list.note);
  put("create-note", list.createNote ?? "Slashes make groups: jobs/7, rooms/lobby.", list.createNote ? "bad" : "");
  $("more").hidden = !list.more || list.wanted >= MAX;
  setCurrent($("to-overview"), !stream);
  if (list.shown !== list.streams) renderItems();
  for (const item of $("streams").children) setCurrent(item.firstChild, item.dataset.path === stream?.path);
}

function setCurrent(link, current) {
  if (current) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
}

function renderItems() {
  list.shown = list.streams;
  const node = $("streams"), known = new Map([...node.children].map(item => [item.dataset.path, item]));
  list.streams.forEach((info, index) => {
    const item = known.get(info.path) ?? makeItem(info.path);
    known.delete(info.path);
    if (node.children[index] !== item) node.insertBefore(item, node.children[index] ?? null);
    const about = [isJson(info.content_type) ? "JSON" : info.content_type.split(";")[0], bytes(info.size)];
    if (info.readers) about.push(plural(info.readers, "reader"));
    if (info.closed) about.push(info.failure ? "failed" : "closed");
    const text = about.join(" · "), small = item.firstChild.children[1];
    if (small.textContent !== text) small.textContent = text;
  });
  known.forEach(item => item.remove());
}

function makeItem(path) {
  const item = make("li", "", make("a", "", make("b", "", path), make("small", "")));
  item.dataset.path = path;
  item.firstChild.href = `#${encodePath(path)}`;
  item.firstChild.title = path;
  return item;
}

let typing = 0;

$("create").addEventListener("submit", event => { event.preventDefault(); create($("new-path").value.trim(), $("new-type").value); });
$("find").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => { list.wanted = PAGE; refreshList(); }, 200); });
$("more").addEventListener("click", async () => {
  const first = $("streams").children.length;
  list.wanted = Math.min(MAX, list.wanted + PAGE);
  await refreshList();
  requestAnimationFrame(() => $("streams").children[first]?.firstChild.focus());
});
$("streams").addEventListener("click", event => { // the same hash again fires no hashchange
  const path = event.target.closest("li")?.dataset.path;
  if (path && path === stream?.path && stream.phase === "stopped") choose(path);
});
addEventListener("streams-changed", refreshList);
