// The part of a stream that is in the document: a window of rows around what is seen, of a log of any length.
// Pages come at its ends as it is scrolled, and rows at the other end go. At the tail, what is appended comes by itself.

import { $, call, clock, isJson, isText, make, plural, render, urlOf } from "./common.js";
import { plainly } from "./reader.js";

const PAGE = 200, PAGE_BYTES = 16384, MAX_ROWS = 600, NEAR = 600; // pixels from an end, within which the next page is read
const MAX_SHOWN = 4000, MAX_COLOURED = 1000;
const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" }); // made once: it is the slowest part of a row

export class Rows {
  // path and type: of the stream. failed: told the problem of a page that could not be read, and null when one could.
  constructor(path, type, failed) {
    Object.assign(this, { path, type, failed, rows: [], hasEarlier: false, atTail: true, busy: false, missed: 0, changed: true });
  }

  // begins: the offset before the first row; ends: that of the last; last: that of the newest record of the stream.
  // The newest page of a stream: its records; where it begins, undefined for the start of the log; where it ends.
  async newest() {
    let page;
    do page = await this.page(""); while (page.next < this.last);
    Object.assign(this, { rows: [], ends: page.next, atTail: true, missed: 0, follows: true });
    this.putBefore(page);
    this.paint();
    return page;
  }

  async page(before) {
    const size = isJson(this.type) ? `last=${PAGE}` : `last_bytes=${PAGE_BYTES}`;
    const answer = await call("GET", urlOf(this.path, `?${size}&envelope=1${before && `&before=${before}`}`));
    const lines = (await answer.text()).split("\n").slice(0, -1), rowOf = reader(this.type);
    const { headers } = answer;
    return { records: lines.map(line => rowOf(lineOf(line, this.type))), previous: headers.get("stream-previous-offset") ?? undefined, next: headers.get("stream-next-offset") };
  }

  // A record that was appended now, and a line that says what happened.
  add(row) {
    this.last = row.offset;
    if (row.offset <= this.ends) return; // the page that was read last has it
    if (!this.atTail || (!this.follows && this.rows.length >= MAX_ROWS)) { this.atTail = false; this.missed += 1; render(); return; }
    this.rows.push(row);
    this.ends = row.offset;
    this.trimTop();
    this.paint();
  }

  mark(text, kind = "") {
    if (!this.atTail && kind !== "bad") return;
    this.rows.push({ mark: text, kind });
    this.trimTop();
    this.paint();
  }

  async earlier() {
    this.putBefore(await this.page(this.begins));
    if (this.rows.length <= MAX_ROWS) return;
    this.rows.length = MAX_ROWS;
    this.atTail = false;
    this.ends = this.rows.findLast(row => row.mark === undefined).offset;
  }

  putBefore({ records, previous }) {
    const kept = records.slice(-MAX_ROWS / 2), cut = kept.length < records.length; // appends of a few bytes
    this.rows.unshift(...kept);
    this.begins = cut ? records.at(-kept.length - 1).offset : previous;
    this.hasEarlier = cut || previous !== undefined;
  }

  // The rows behind the last one.
  async later(from = this.ends) {
    const found = [], rowOf = reader(this.type);
    let isEnd = true;
    for await (const record of plainly(this.path, this.type).read({ from, live: false, envelope: true })) {
      found.push(rowOf(record));
      if (found.length === PAGE) { isEnd = false; break; }
    }
    this.rows.push(...found);
    this.ends = found.at(-1)?.offset ?? from;
    this.trimTop();
    if (!isEnd) return;
    if (this.ends < this.last) { await this.later(); return; } // it has grown meanwhile
    Object.assign(this, { atTail: true, missed: 0 });
  }

  rowOf(record) { return reader(this.type)(record); }

  async oldest() {
    Object.assign(this, { rows: [], hasEarlier: false, begins: undefined, atTail: false, follows: false });
    await this.later("-1");
  }

  trimTop() {
    const gone = this.rows.splice(0, Math.max(0, this.rows.length - MAX_ROWS)).findLast(row => row.mark === undefined);
    if (gone) Object.assign(this, { hasEarlier: true, begins: gone.offset });
  }

  // Reads one thing at a time; a page that could not be read is tried again by the next scroll.
  async run(step) {
    if (this.busy) return;
    this.busy = true;
    try {
      await step();
      this.failed(null);
    } catch (problem) {
      this.failed(problem);
      this.stuck = true;
    }
    this.busy = false;
    this.paint();
  }

  paint() { this.changed = true; render(); }
}

// A line of a page as the client gives a record. The text of JSON stands for itself: a parsed value would lose some of its bytes.
function lineOf(text, type) {
  const { offset, at, by, data, base64 } = JSON.parse(text);
  const bytes = base64 === undefined ? undefined : Uint8Array.from(atob(base64), byte => byte.charCodeAt(0));
  return { offset, at, by, raw: bytes ?? (isJson(type) ? text.slice(text.indexOf('"data":') + 7, -1) : data) };
}

// Records to rows. Text is decoded as one, as an append may end within a character.
function reader(type) {
  const decoder = new TextDecoder(), encoder = new TextEncoder();
  return ({ offset, at, by, raw }) => {
    const row = { offset, at: at * 1000, by };
    if (isJson(type)) row.data = raw;
    else if (isText(type)) row.data = decoder.decode(typeof raw === "string" ? encoder.encode(raw) : raw, { stream: true });
    else row.data = btoa(Array.from(raw, byte => String.fromCharCode(byte)).join(""));
    return row;
  };
}

// Showing

let shown = null;

export function renderRows(view) {
  const log = $("log"), list = $("rows");
  if (view !== shown) { list.replaceChildren(); shown = view; view.follows = true; }
  if (view.changed) {
    view.changed = false;
    const kept = new Set(view.rows);
    const anchor = [...list.children].find(node => node.offsetTop + node.offsetHeight > log.scrollTop && kept.has(node.row));
    const before = anchor?.offsetTop;
    $("start-of-log").hidden = view.hasEarlier || !view.rows.length;
    sync(list, view);
    if (view.follows) log.scrollTop = log.scrollHeight;
    else if (anchor) log.scrollTop += anchor.offsetTop - before;
    reach(view);
  }
  $("newest").hidden = view.follows && view.atTail;
  $("newest").textContent = view.missed ? `Go to the newest (${plural(view.missed, "record")} since)` : "Go to the newest";
}

function sync(list, view) {
  const nodes = view.rows.map(row => row.node ??= rowNode(row, view.type)), kept = new Set(nodes);
  for (const node of [...list.children]) if (!kept.has(node)) { node.remove(); node.row.node = null; }
  let next = list.firstChild;
  for (const node of nodes) if (node === next) next = next.nextSibling; else list.insertBefore(node, next);
}

function rowNode(row, type) {
  const node = row.mark === undefined ? recordNode(row, type) : make("li", `mark ${row.kind}`, row.mark);
  node.row = row;
  return node;
}

function recordNode(row, type) {
  const zeros = row.offset.match(/^[0_]*/)[0];
  const offset = make("span", "offset", make("bdi", "", make("i", "", zeros), row.offset.slice(zeros.length)));
  const today = row.at >= new Date().setHours(0, 0, 0, 0);
  const at = make("time", "at", today ? clock(row.at) : `${DAY.format(row.at)} ${clock(row.at)}`);
  at.dateTime = at.title = new Date(row.at).toISOString();
  const data = row.data.length > MAX_SHOWN ? `${row.data.slice(0, MAX_SHOWN)} … (${plural(row.data.length, "character")})` : row.data;
  return make("li", "", at, offset, make("span", "data", ...who(row.by), ...isJson(type) && data.length <= MAX_COLOURED ? coloured(data) : [data]));
}

// Who appended it, by the proof that the server saw.
function who(by) {
  if (!by) return [];
  const name = make("b", "by", by.subject);
  name.title = `Appended by ${by.subject}${by.issuer ? ` of ${by.issuer}` : ""}`;
  return [name, " "];
}

function coloured(json) {
  return json.split(/("(?:\\.|[^"\\])*"\s*:?)/).flatMap(part => {
    if (part.startsWith('"')) return part.endsWith(":") ? [make("span", "k", part)] : [part];
    return part.split(/([-\w.+]+)/).map((word, index) => index % 2 ? make("span", "v", word) : word);
  });
}

// Near an end of what is in the document the next page comes; who is at the end of the log follows it.
function reach(view) {
  const log = $("log"), left = log.scrollHeight - log.scrollTop - log.clientHeight;
  view.follows = left < 48 && view.atTail;
  if (view.stuck) return;
  if (log.scrollTop < NEAR && view.hasEarlier) view.run(() => view.earlier());
  else if (left < NEAR && !view.atTail) view.run(() => view.later());
}

$("log").addEventListener("scroll", () => {
  if (!shown || shown.changed) return;
  shown.stuck = false;
  reach(shown);
  render();
}, { passive: true });
new ResizeObserver(() => { if (shown?.follows) $("log").scrollTop = $("log").scrollHeight; }).observe($("log"));
$("newest").addEventListener("click", () => {
  if (shown.atTail) { shown.follows = true; shown.paint(); } else shown.run(() => shown.newest());
});
$("oldest").addEventListener("click", () => shown?.run(async () => { await shown.oldest(); $("log").scrollTop = 0; }));
