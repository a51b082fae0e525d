// Text within a line of Markdown, as nodes. The text comes from a model: it becomes text nodes and a few elements made
// here, never markup. Work is linear: a delimiter that has no end is looked for once.

const ESCAPABLE = /[\\`*_{}[\]()#+\-.!|<>~"'&$%,/:;=?@^]/;
const WORD = /[\p{L}\p{N}_]/u;
const SPACE = /\s/;
const URL_START = /^https?:\/\/[^\s<>"'`\\]+/;
const DEPTH = 6;
// Characters in which a link must end.
const LABEL = 200;
const TARGET = 500;

/**
 * The nodes of a text.
 *
 * @param {string} text
 * @param {boolean} open more is to come: strong text and code that have begun are shown as such already
 * @returns {DocumentFragment}
 */
export function inline(text, open) {
  const fragment = document.createDocumentFragment();
  parse(text, open, 0, fragment);
  return fragment;
}

/** The address, if it is one of the web; else null. */
export function webAddress(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
}

function parse(text, open, depth, out) {
  const dead = new Set();
  let plain = "";
  let at = 0;
  const put = (node, next) => {
    if (plain) out.append(plain);
    plain = "";
    out.append(node);
    at = next;
  };
  while (at < text.length) {
    const char = text[at];
    if (char === "\\" && ESCAPABLE.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    const found =
      char === "`" ? codeSpan(text, at, open, dead)
      : char === "*" || char === "_" ? emphasis(text, at, open, depth, dead)
      : char === "[" || (char === "!" && text[at + 1] === "[") ? link(text, at, depth)
      : char === "<" || char === "h" ? bareLink(text, at)
      : null;
    if (found?.node) put(found.node, found.next);
    else {
      const next = found?.next ?? at + 1;
      plain += text.slice(at, next);
      at = next;
    }
  }
  if (plain) out.append(plain);
}

function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

function runLength(text, at) {
  let end = at;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

function codeSpan(text, at, open, dead) {
  const count = runLength(text, at);
  const marker = "`".repeat(count);
  let end = dead.has(marker) ? -1 : text.indexOf(marker, at + count);
  while (end >= 0 && runLength(text, end) !== count) end = text.indexOf(marker, end + runLength(text, end));
  if (end < 0) {
    dead.add(marker);
    if (!open || count > 2 || at + count === text.length) return { next: at + count };
    return { node: element("code", text.slice(at + count)), next: text.length };
  }
  const inner = text.slice(at + count, end);
  const bare = /^ .*\S.* $/.test(inner) ? inner.slice(1, -1) : inner;
  return { node: element("code", bare), next: end + count };
}

function emphasis(text, at, open, depth, dead) {
  const char = text[at];
  const run = runLength(text, at);
  const next = text[at + run];
  const opens = run <= 3 && next !== undefined && !SPACE.test(next) && !(char === "_" && WORD.test(text[at - 1] ?? ""));
  if (!opens || depth >= DEPTH) return { next: at + run };
  const marker = char.repeat(run);
  let end = dead.has(marker) ? -1 : closing(text, at + run, char, run);
  let until = end + run;
  if (end < 0) {
    dead.add(marker);
    if (!open || run !== 2) return { next: at + run };
    end = until = text.length;
  }
  const inner = document.createDocumentFragment();
  parse(text.slice(at + run, end), open && until === text.length, depth + 1, inner);
  const node = run === 1 ? element("em", inner) : element("strong", inner);
  return { node: run === 3 ? element("em", node) : node, next: until };
}

/** Where a run of delimiters is closed; -1: nowhere. */
function closing(text, from, char, run) {
  let at = from;
  while ((at = text.indexOf(char, at)) >= 0) {
    const count = runLength(text, at);
    const escaped = text[at - 1] === "\\";
    const joined = char === "_" && WORD.test(text[at + count] ?? "");
    if (!escaped && !joined && at > from && !SPACE.test(text[at - 1]) && (count === run || count === 3)) {
      return count === run ? at : at + count - run;
    }
    at += count;
  }
  return -1;
}

function link(text, at, depth) {
  const start = text[at] === "!" ? at + 2 : at + 1;
  const labelEnd = balanced(text, start, "[", "]", LABEL);
  if (labelEnd < 0 || text[labelEnd + 1] !== "(" || depth >= DEPTH) return null;
  const end = balanced(text, labelEnd + 2, "(", ")", TARGET);
  if (end < 0) return null;
  const [target] = text.slice(labelEnd + 2, end).trim().split(/\s+/, 1);
  const href = webAddress(target.replace(/^<(.*)>$/, "$1"));
  if (href === null) return { next: end + 1 };
  const label = document.createDocumentFragment();
  parse(text.slice(start, labelEnd), false, DEPTH - 1, label);
  if (!label.hasChildNodes()) label.append(href);
  return { node: anchor(href, label), next: end + 1 };
}

function balanced(text, from, opening, ending, limit) {
  let depth = 0;
  for (let at = from; at < text.length && at - from <= limit; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === opening) depth += 1;
    else if (text[at] === ending && depth-- === 0) return at;
  }
  return -1;
}

function bareLink(text, at) {
  const angle = text[at] === "<";
  if (!angle && WORD.test(text[at - 1] ?? "")) return null;
  const from = angle ? at + 1 : at;
  if (!text.startsWith("http", from)) return null;
  const match = URL_START.exec(text.slice(from, from + TARGET));
  if (match === null || (angle && text[from + match[0].length] !== ">")) return null;
  const shown = angle ? match[0] : match[0].replace(/[.,;:!?*_)\]}]+$/, "");
  const href = webAddress(shown);
  if (href === null) return null;
  return { node: anchor(href, shown), next: from + shown.length + (angle ? 1 : 0) };
}

function anchor(href, label) {
  const node = element("a", label);
  node.href = href;
  node.target = "_blank";
  node.rel = "noopener noreferrer nofollow";
  node.title = href;
  return node;
}
