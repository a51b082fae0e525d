// One question and its answer on the page, and where the answer stands.

import { RunReader, post } from "./client.js";
import { Markdown, copied } from "./markdown.js";

const WORDS = {
  stopped: () => "Stopped. What was said before is kept.",
  failed: (message) => `Failed: ${message || "the model gave up"}. What was said before is kept.`,
  lost: () => "Lost: the server went away in the middle of this answer. What was written before is kept.",
  missing: () => "This answer is not kept any more.",
  refused: (message) => `Not accepted: ${message || "the server refused it"}.`,
  unsent: () => "Not sent.",
};

function make(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function button(className, text, press) {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", () => press(element));
  return element;
}

/**
 * A turn. `state` is `sending`, `running`, or how it ended.
 *
 * Calls `on.changed(turn)` when anything the page shows elsewhere changes, `on.grew()` when it gets longer,
 * `on.block(text)` with each finished block of an answer that is given live, and `on.regenerate(turn)`.
 */
export class Turn {
  #on;
  #reader = null;
  #frame = 0;
  #markdown = null;
  #aborter = null;
  #wantsStop = false;

  constructor({ id, text }, on) {
    this.id = id;
    this.text = text;
    this.run = "";
    this.state = "sending";
    this.note = "";
    this.waiting = 0;
    this.answer = "";
    this.usage = null;
    this.isLive = false;
    this.#on = on;
    this.element = make("article", "turn");
    this.element.append(make("h2", "away", "You asked"), make("p", "question", text), make("h2", "away", "Answer"));
    this.body = make("div", "answer");
    this.verdict = make("p", "verdict");
    this.actions = make("div", "actions");
    this.element.append(this.body, this.verdict, this.actions);
    this.actions.append(
      button("copy", "Copy", (pressed) => copied(pressed, this.answer)),
      button("again", "Regenerate", () => this.#on.regenerate(this)),
    );
    this.#reset();
    this.#show();
  }

  get offset() {
    return this.#reader?.offset ?? "";
  }

  get isOpen() {
    return this.state === "sending" || this.state === "running";
  }

  /** Ask, or ask again: harmless to repeat, because the message's id, or the key, names the run. */
  async ask(chat, { again = false } = {}) {
    const headers = again ? { "idempotency-key": crypto.randomUUID() } : {};
    const message = { id: this.id, role: "user", parts: [{ type: "text", text: this.text }] };
    const trigger = again ? "regenerate-message" : "submit-message";
    this.#aborter = new AbortController();
    this.#wantsStop = false;
    this.#leave();
    this.#reset();
    this.#set("sending");
    try {
      const response = await post("/api/chat", {
        body: { id: chat, messages: [message], trigger },
        headers,
        signal: this.#aborter.signal,
        retrying: (attempt) => this.#askAgainUnlessStopped(attempt),
      });
      this.follow(response.headers.get("headwater-run"), response);
    } catch (error) {
      const isStopped = error.name === "AbortError";
      this.#finish({ state: isStopped ? "unsent" : "refused", message: error.message });
    }
  }

  /** Show a run as the answer. @param {Response} [first] tells it already */
  follow(run, first) {
    if (this.run === run && this.#reader !== null) return;
    this.#leave();
    this.run = run;
    this.#reset();
    this.#set("running");
    if (this.#wantsStop) this.stop();
    this.resume(first);
  }

  resume(first) {
    if (!this.run || this.#reader?.ended) return;
    this.#reader ??= new RunReader(this.run, {
      reset: () => this.#reset(),
      connected: ({ offset, attempt }) => {
        this.waiting = 0;
        if (offset) this.note = `resumed at offset ${offset}`;
        else if (attempt) this.note = "read again from its start";
        this.#show();
      },
      text: (delta) => this.#grow(delta),
      waiting: (attempt) => this.#wait(attempt),
      ended: (end) => this.#finish(end),
    });
    this.#reader.follow(first);
  }

  /** Let go of the connection, for a while or for ever; the run goes on. */
  leave() {
    this.#reader?.leave();
  }

  async stop() {
    this.#wantsStop = true;
    if (this.state === "sending" && this.waiting > 0) this.#aborter?.abort();
    if (!this.run || this.state !== "running") return;
    try {
      await post(`/api/runs/${this.run}/stop`, { retrying: (attempt) => this.#wait(attempt) });
    } catch {
      // It has gone; its reader is told so.
    }
  }

  remove() {
    this.#leave();
    this.element.remove();
  }

  #leave() {
    this.#reader?.leave();
    this.#reader = null;
    this.run = "";
  }

  #reset() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.answer = "";
    this.body.replaceChildren();
    this.#markdown = new Markdown(this.body, (block) => {
      if (this.isLive && this.state === "running") this.#on.block(block.textContent);
    });
  }

  #grow(delta) {
    // What comes in one piece at first was said before; it is not read out.
    if (this.answer) this.isLive = true;
    else if (delta.length > 200) this.note ||= `joined late: ${delta.length} characters in one piece`;
    this.answer += delta;
    this.#markdown.append(delta);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    this.#markdown.draw();
    this.#on.grew();
    this.#on.changed(this);
  }

  #wait(attempt) {
    this.waiting = attempt;
    this.#show();
  }

  /** A stop that came while the first try was in the air is kept until it is known that nobody took the question. */
  #askAgainUnlessStopped(attempt) {
    this.#wait(attempt);
    if (this.#wantsStop) this.#aborter.abort();
  }

  #finish({ state, message, usage }) {
    this.waiting = 0;
    this.usage = usage ?? null;
    if (!this.isLive && this.note.startsWith("joined late")) this.note = "read from the log in one piece";
    this.#markdown.end();
    this.#set(state, message);
    this.#on.grew();
    this.isLive = false;
  }

  #set(state, message = "") {
    if (state === "sending") this.note = "";
    this.state = state;
    this.verdict.textContent = WORDS[state]?.(message) ?? "";
    this.#show();
  }

  #show() {
    const { element, state } = this;
    element.dataset.state = state;
    this.body.setAttribute("aria-busy", String(this.isOpen));
    this.verdict.hidden = !this.verdict.textContent;
    this.actions.hidden = this.isOpen;
    this.actions.firstChild.hidden = !this.answer;
    this.actions.lastChild.textContent = state === "refused" || state === "unsent" ? "Try again" : "Regenerate";
    this.#on.changed(this);
  }
}
