// The room of a stream: who has it open and takes part, and who types. It costs nothing until somebody goes in, and then
// one stream of events, with which one is a member: a tab that is closed or cut is gone after the server's grace.

import { $, call, make, put, render, urlOf } from "./common.js";
import { stream } from "./headwater.js";
import { ready, session } from "./session.js";
import { stream as chosen } from "./stream.js";

const TYPES_MS = 3000, AGAIN_MS = 2000, MAX_NAMED = 50, RETRY = { cap: 8000 };
const SAME = { connection: "page" }; // the request that goes in and the event stream are one connection

const hex = size => [...crypto.getRandomValues(new Uint8Array(size))].map(byte => byte.toString(16).padStart(2, "0")).join("");
function kept(storage, name, make) {
  try { return window[storage][name] ??= make(); } catch { return make(); }
}

// A reload is the same member; each tab is one.
const me = { id: kept("sessionStorage", "headwater-member", () => `guest-${hex(4)}`), key: kept("sessionStorage", "headwater-key", () => `0.${hex(16)}`) };
let name = kept("localStorage", "headwater-name", () => me.id), types = false, idle = 0, wanted = false, room = null;

const state = () => ({ name, ...(types ? { types } : {}) });
const post = (r, fields) => call("POST", urlOf(r.path, "/-/presence"), { body: JSON.stringify({ ...me, ...fields }) });

async function enter(r) {
  await ready;
  if (session.subject !== null) me.id = session.subject; // nobody is there as somebody else
  try {
    await post(r, { ...SAME, state: state() });
    if (r === room) listen(r); else leave(r);
  } catch (problem) {
    r.note = problem.message;
    again(r);
  }
  render();
}

function listen(r) {
  const query = new URLSearchParams({ presence: "join", member: me.id, member_key: me.key, member_connection: SAME.connection });
  r.reader = stream(urlOf(r.path, `?${query}`), { retry: RETRY, transport: "sse", decode: raw => raw, type: r.type }).read({ from: "now" });
  r.reader.on("state", state => { if (state === "catching-up") { r.note = ""; tell(r); render(); } });
  r.reader.on("error", () => { r.note = "The connection was lost."; render(); });
  r.reader.on("notice", ({ data }) => { take(r, data); render(); });
  follow(r);
}

// Its records are of no interest here, only who is there.
async function follow(r) {
  try { for await (const _ of r.reader.batches()); } catch { again(r); }
}

function take(r, { count, members, joined = [], changed = [], left = [] }) {
  r.count = count;
  if (members !== undefined) r.members = members && new Map(members.map(each => [each.id, each]));
  for (const each of [...joined, ...changed]) r.members.set(each.id, each);
  for (const id of left) r.members.delete(id);
}

function again(r) {
  r.reader?.close();
  r.timer = setTimeout(() => { if (r === room) enter(r); }, AGAIN_MS);
}

// One request at a time: what changes meanwhile goes with the next one.
async function tell(r) {
  if (r.telling) { r.more = true; return; }
  r.telling = true;
  do {
    r.more = false;
    await post(r, { state: state() }).catch(() => {});
  } while (r.more && r === room);
  r.telling = false;
}

function leave(r) {
  clearTimeout(r.timer);
  r.reader?.close();
  post(r, { leave: true }).catch(() => {});
}

function typing(now) {
  clearTimeout(idle);
  if (now) idle = setTimeout(typing, TYPES_MS, false);
  if (types === now) return;
  types = now;
  if (room) tell(room);
}

export function renderRoom() {
  const path = wanted && chosen?.type && !chosen.closed ? chosen.path : "";
  if (path !== (room?.path ?? "")) {
    if (room) leave(room);
    room = path ? { path, type: chosen.type, members: new Map(), count: 0, note: "" } : null;
    if (room) enter(room);
  }
  $("go-in").disabled = !chosen?.type || chosen.closed;
  $("go-in").setAttribute("aria-pressed", String(Boolean(room)));
  $("room").hidden = !room;
  if (!room) return;
  const all = [...room.members?.values() ?? []].map(({ id, state }) => ({ id, name: String(state?.name ?? id).slice(0, 40), types: state?.types }));
  const shown = all.sort((one, other) => one.name.localeCompare(other.name)).slice(0, MAX_NAMED);
  const told = JSON.stringify(shown);
  if (told !== room.told) {
    room.told = told;
    $("members").replaceChildren(...shown.map(({ id, name, types }) => {
      const kind = [types && "types", id === me.id && "me"].filter(Boolean).join(" ");
      return make("li", kind, name, ...types ? [make("small", "", " types…")] : []);
    }));
  }
  put("room-note", room.note || (room.count > shown.length ? `${room.count.toLocaleString("en")} are here` : ""), room.note ? "bad" : "");
}

$("go-in").addEventListener("click", () => { wanted = !wanted; renderRoom(); });
$("my-name").value = name;
$("my-name").addEventListener("change", () => {
  name = $("my-name").value.trim().slice(0, 40) || me.id;
  try { localStorage["headwater-name"] = name; } catch { /* it is the name of this page alone */ }
  if (room) tell(room);
});
$("record").addEventListener("input", () => typing($("record").value !== ""));
$("append").addEventListener("submit", () => typing(false));
$("record").addEventListener("keydown", event => { if (event.key === "Enter" && !event.shiftKey) typing(false); });
