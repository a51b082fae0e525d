// Markdown that grows. Rule: what is closed is never touched again. A piece of text costs its own length and at most
// one drawing of the block that is open, which is cut when it gets long; the length of the answer does not matter.
//
// A line is held back until it is known what it begins ("#", "-", "12" may be a heading, an item, a number, or text),
// so that nothing that was shown has to be taken back.

import { inline } from "./inline.js";

// A line that may still become several things. Longer ones are text.
const UNDECIDED =
  /^(?:#{1,6}[ \t]*|[-*+][ \t]*|\d{1,9}[.)]?[ \t]*|>[ \t]?|([-*_])(?:[ \t]*\1)*[ \t]*|`{1,2}|~{1,2}|`{3,}[^`]*|~{3,}.*)?$/;
const HELD = 120;
const FENCE = /^(`{3,}|~{3,})[ \t]*([^`]*)$/;
const HEADING = /^(#{1,6})(?:[ \t]+(.*))?$/s;
const RULE = /^([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const ITEM = /^([-*+]|\d{1,9}[.)])(?:[ \t]+(.*))?$/s;
const QUOTE = /^>[ \t]?(.*)$/s;
// Characters of a block that is drawn again as it grows, and of one text node of code.
const BLOCK = 2000;
const DEPTH = 8;

/** A text of one block: drawn again as it grows, for ever once it is closed. */
class Text {
  constructor(element) {
    this.element = element;
    this.source = "";
    this.drawn = [];
  }

  append(text) {
    this.source += text;
  }

  draw(open) {
    for (const node of this.drawn) node.remove();
    while (this.source.length > BLOCK) {
      const space = this.source.lastIndexOf(" ", BLOCK - 500);
      const end = space > 0 ? space + 1 : whole(this.source, BLOCK - 500);
      this.element.append(inline(this.source.slice(0, end), false));
      this.source = this.source.slice(end);
    }
    const nodes = inline(this.source, open);
    this.drawn = [...nodes.childNodes];
    this.element.append(nodes);
  }
}

/** The place, or the one before it: never between the halves of a character. */
function whole(text, at) {
  return /[\uD800-\uDBFF]/.test(text[at - 1]) ? at - 1 : at;
}

/** Code: nothing in it means anything, so it only grows. */
class Code {
  constructor(fence, language) {
    this.fence = fence;
    this.pending = "";
    this.begun = false;
    this.code = document.createElement("code");
    this.element = figure(this.code, language);
  }

  append(text) {
    this.pending += text;
  }

  beginLine() {
    if (this.begun) this.pending += "\n";
    this.begun = true;
  }

  mayEnd(line) {
    const body = line.trim();
    return line.length < HELD && body === this.fence[0].repeat(body.length);
  }

  ends(line) {
    const body = line.trim();
    return body.length >= this.fence.length && body === this.fence[0].repeat(body.length);
  }

  draw() {
    if (!this.pending) return;
    const last = this.code.lastChild;
    if (last === null || last.length > BLOCK) this.code.append(this.pending);
    else last.appendData(this.pending);
    this.pending = "";
  }
}

function figure(code, language) {
  const box = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const name = document.createElement("span");
  const copy = document.createElement("button");
  const pre = document.createElement("pre");
  name.textContent = language.trim().split(/\s/, 1)[0].slice(0, 30) || "code";
  copy.type = "button";
  copy.className = "copy";
  copy.textContent = "Copy";
  copy.addEventListener("click", () => copied(copy, code.textContent));
  pre.tabIndex = 0;
  pre.append(code);
  caption.append(name, copy);
  box.append(caption, pre);
  return box;
}

/** Copies, and says so on the button. */
export async function copied(button, text) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

export class Markdown {
  /**
   * @param {Element} root where the blocks go
   * @param {(element: Element) => void} closed told of each block that will not change any more
   */
  constructor(root, closed = () => {}) {
    this.root = root;
    this.closed = closed;
    this.open = null;
    this.lists = [];
    this.quote = null;
    this.held = "";
    this.decided = false;
    this.blank = true;
    this.dirty = false;
  }

  append(text) {
    const lines = text.replaceAll("\r", "").split("\n");
    lines.forEach((line, index) => {
      if (index > 0) this.#endLine();
      if (line) this.#grow(line);
    });
    this.dirty = true;
  }

  /** Draws the open block; to be called once a frame. */
  draw() {
    if (this.dirty) this.open?.draw(true);
    this.dirty = false;
  }

  /** Nothing more comes. */
  end() {
    if (this.held) this.#decide(true);
    this.#close();
    this.held = "";
  }

  #grow(text) {
    if (this.decided) this.open?.append(text);
    else {
      this.held += text;
      this.#decide(false);
    }
  }

  #endLine() {
    if (!this.decided) this.#decide(true);
    if (this.open?.element.matches("h3, h4, h5, h6")) this.#close();
    this.decided = false;
    this.held = "";
  }

  #decide(complete) {
    const line = this.held;
    if (this.open instanceof Code) {
      if (!complete && this.open.mayEnd(line)) return;
      if (complete && this.open.ends(line)) this.#close();
      else {
        this.open.beginLine();
        this.open.append(line.slice(Math.min(this.open.indent, line.length - line.trimStart().length)));
      }
    } else {
      const body = line.trimStart();
      if (!complete && line.length < HELD && UNDECIDED.test(body)) return;
      const indent = line.slice(0, line.length - body.length).replaceAll("\t", "    ").length;
      if (body === "") this.#blank();
      else this.#begin(body, indent, complete);
    }
    this.decided = true;
    this.held = "";
  }

  #begin(body, indent, complete) {
    let match;
    if (complete && (match = FENCE.exec(body))) this.#code(match[1], match[2], indent);
    else if (complete && RULE.test(body)) this.#block(this.root, "hr");
    else if ((match = HEADING.exec(body))) {
      this.lists = [];
      this.#text(this.root, `h${Math.min(6, match[1].length + 2)}`, match[2] ?? "");
    } else if ((match = ITEM.exec(body))) this.#item(match[1], match[2] ?? "", indent);
    else if ((match = QUOTE.exec(body))) this.#quoted(match[1]);
    else if (this.open !== null && !this.blank) this.open.append(`\n${body}`);
    else this.#paragraph(body, indent);
    this.blank = false;
  }

  #blank() {
    this.#close();
    this.quote = null;
    this.blank = true;
  }

  #close() {
    if (this.open === null) return;
    this.open.draw(false);
    this.open.element.classList.remove("open");
    this.closed(this.open.element);
    this.open = null;
  }

  #block(parent, name) {
    this.#close();
    this.lists = parent === this.root ? [] : this.lists;
    const element = document.createElement(name);
    parent.append(element);
    return element;
  }

  #text(parent, name, source) {
    this.#close();
    const element = document.createElement(name);
    element.className = "open";
    parent.append(element);
    this.open = new Text(element);
    this.open.append(source);
  }

  #paragraph(body, indent) {
    while (this.lists.length && this.lists.at(-1).indent >= indent) this.lists.pop();
    this.#text(this.lists.at(-1)?.item ?? this.root, "p", body);
  }

  #quoted(body) {
    if (this.quote === null) this.quote = this.#block(this.root, "blockquote");
    if (body.trim() === "") this.#close();
    else if (this.open !== null) this.open.append(`\n${body}`);
    else this.#text(this.quote, "p", body);
  }

  #item(marker, body, indent) {
    this.#close();
    this.quote = null;
    const ordered = /\d/.test(marker);
    const lists = this.lists;
    while (lists.length && lists.at(-1).indent > indent) lists.pop();
    const deeper = lists.length > 0 && lists.length < DEPTH && indent >= lists.at(-1).indent + 2;
    if (!deeper && lists.length && lists.at(-1).ordered !== ordered) lists.pop();
    if (deeper || lists.at(-1)?.ordered !== ordered) {
      const list = document.createElement(ordered ? "ol" : "ul");
      if (ordered && parseInt(marker, 10) !== 1) list.setAttribute("start", String(parseInt(marker, 10)));
      (lists.at(-1)?.item ?? this.root).append(list);
      lists.push({ list, indent, ordered, item: null });
    }
    const top = lists.at(-1);
    top.item = document.createElement("li");
    top.list.append(top.item);
    this.#text(top.item, "p", body);
  }

  #code(fence, language, indent) {
    this.#close();
    this.quote = null;
    while (this.lists.length && this.lists.at(-1).indent >= indent) this.lists.pop();
    this.open = new Code(fence, language);
    this.open.indent = indent;
    this.open.element.classList.add("open");
    (this.lists.at(-1)?.item ?? this.root).append(this.open.element);
  }
}
