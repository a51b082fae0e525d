// One connection for all tabs of the page in a browser profile: over HTTP/1.1 a browser has six to a server.
//
// A Web Lock elects the tab that holds the connection. Each tab says which stream it follows and where it stands; the
// holder reads all of them at once, and a BroadcastChannel hands on what comes. A tab drops what is at or below its own
// offset, so that the holder may read again from the lowest. When the holder is gone, the lock falls to another tab,
// which asks the rest where they stand and goes on from there. Without Web Locks, that is where the page is not of a
// secure context, each tab holds a connection of its own.

import { Link } from "./link.js";

const FIRST_WAIT = 1000, LONGEST_WAIT = 8000; // milliseconds
const NAME = new URL(".", import.meta.url).href; // of this server, its mount point and its release
const me = crypto.getRandomValues(new Uint32Array(4)).join("-");
const locks = navigator.locks, channel = locks && new BroadcastChannel(NAME), always = new Promise(() => {});
const takeLock = name => new Promise(resolve => { locks.request(name, () => { resolve(); return always; }); });

let mine = null; // what this tab follows: { path, offset, take }
let apart = !locks; // streams have connections of their own, as the server does not give several on one

export const tabs = { get shared() { return Boolean(locks) && !apart; }, get holds() { return holds; } };

// Calls take(line, text) with each line of NDJSON behind the offset, and take({ state }) as the connection comes and goes.
export function follow(path, offset, take) {
  mine = { path, offset, take };
  begun.then(want);
}

export function leave() {
  clearTimeout(mine?.timer);
  mine = null;
  want();
}

function want() { send({ want: { tab: me, path: mine?.path ?? null, offset: mine?.offset } }); }

function send(message) {
  channel?.postMessage(message);
  hear(message); // a channel does not tell who speaks
}
channel?.addEventListener("message", ({ data }) => hear(data));

function hear({ want: wanted, ask, again, path, lines = [], ...news }) {
  if (ask && mine) want();
  if (wanted && holds) place(wanted);
  if (again && holds) arrange();
  const to = mine;
  if (path === undefined || path !== to?.path) return;
  if (news.state) {
    apart = news.apart;
    clearTimeout(to.timer);
    // Timers of a hidden tab are slow: whichever tab is first has the holder try again.
    if (news.state === "lost") to.timer = setTimeout(() => send({ again: true }), news.wait);
    to.take(news);
  }
  for (const text of lines) {
    const line = JSON.parse(text), reached = behind(line);
    if (reached <= to.offset) continue;
    if (reached) to.offset = reached;
    if (mine === to) to.take(line, text);
  }
}

// Where a stream is read to behind a line; offsets of a stream sort as text. Undefined: where it was.
const behind = line => line.control ? line.control === "gap" ? line.to : undefined : line.offset;

// The tab that holds the connection

const known = new Set(), wishes = new Map(), told = new Map(); // tabs; tab: path; path: the offset told last
const links = new Map(), stale = new Set(); // paths of a connection, as text: it; paths to be read again
let holds = false, tries = 0, planned = false;

function place({ tab, path, offset }) {
  if (locks && tab !== me && !known.has(tab)) locks.request(NAME + tab, () => place({ tab, path: null })); // it is gone
  known.add(tab);
  if (path === null) wishes.delete(tab); else wishes.set(tab, path);
  const paths = new Set(wishes.values());
  for (const other of told.keys()) if (!paths.has(other)) told.delete(other);
  if (path !== null && !(told.get(path) <= offset)) { told.set(path, offset); stale.add(path); }
  for (const link of links.values()) if (link.paths.includes(path) && !stale.has(path)) send({ path, apart, ...link.state });
  if (planned) return;
  planned = true; // the wishes of many tabs come together
  (locks?.query() ?? Promise.resolve()).then(() => { planned = false; arrange(); });
}

function arrange() {
  const all = [...told.keys()], groups = apart ? all.map(path => [path]) : all.length ? [all] : [];
  const wanted = new Map(groups.map(paths => [paths.toSorted().join("\n"), paths]));
  for (const [key, link] of links) {
    if (wanted.has(key) && !link.paths.some(path => stale.has(path)) && !(link.retryAt <= Date.now())) continue;
    link.close();
    links.delete(key);
  }
  stale.clear();
  for (const [key, paths] of wanted) if (!links.has(key)) {
    const link = new Link(paths, told, news => handOn(link, key, news));
    links.set(key, link);
  }
}

function handOn(link, key, { path, lines = [], ...news }) {
  for (const text of lines) {
    const reached = behind(JSON.parse(text));
    if (told.get(path) < reached) told.set(path, reached);
  }
  if (news.state === "live") tries = 0;
  if (news.code === "multi-stream-closed") { apart = true; if (links.delete(key)) arrange(); return; }
  if (news.state === "lost") {
    news.wait = link.retryAt ? link.state.wait : link.pause ?? Math.min(FIRST_WAIT * 2 ** tries++, LONGEST_WAIT);
    link.retryAt ??= Date.now() + news.wait - 50; // timers may be early
    link.state = news;
  }
  send({ path, apart, ...(lines.length ? { lines } : news) });
}

function lead() { holds = true; send({ ask: true }); }
const begun = locks ? takeLock(NAME + me) : Promise.resolve(); // held as long as this tab lives
if (locks) begun.then(() => takeLock(NAME)).then(lead); else lead();
