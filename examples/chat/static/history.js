// What was asked, as the server keeps it: a stream for each chat, read live with an EventSource, and one of all chats.

import { pauseBefore } from "./client.js";

/**
 * Follows one chat's stream. Calls `on.turn({ id, text, run })` for each of its records, once and in order, and
 * `on.connection(isThere)` when that changes.
 */
export class ChatHistory {
  #source = null;
  #timer = 0;
  #attempt = 0;
  #offset = "-1";

  constructor(chat, on) {
    this.chat = chat;
    this.on = on;
  }

  follow() {
    this.leave();
    const path = `/history/chats/${encodeURIComponent(this.chat)}`;
    const source = (this.#source = new EventSource(`${path}?offset=${encodeURIComponent(this.#offset)}`));
    source.addEventListener("open", () => {
      this.#attempt = 0;
      this.on.connection(true);
    });
    source.addEventListener("message", ({ lastEventId, data }) => {
      this.#offset = lastEventId;
      this.on.turn(JSON.parse(data));
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.OPEN) return;
      this.on.connection(false);
      // The browser comes back by itself after a cut, but not after a refusal, nor as soon as it could.
      source.close();
      this.#timer = setTimeout(() => this.follow(), pauseBefore(this.#attempt));
      this.#attempt += 1;
    });
  }

  leave() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}

/** The list of all chats: what was read once is not read again. Reads may overlap. */
export class ChatList {
  #offset = "-1";
  #chats = [];
  #aborter = new AbortController();

  /**
   * All chats, the newest first: `[{ chat, title }]`.
   *
   * @param {string} [wanted] a chat that was asked for: a question is answered before it is written down, so wait for
   *   it, as long as one long-poll takes.
   * @throws {Error} the server does not answer
   */
  async read(wanted = "") {
    const { signal } = this.#aborter;
    let live = "";
    do {
      const from = this.#offset;
      const url = `/history/chats?offset=${encodeURIComponent(from)}${live}`;
      const response = await fetch(url, { cache: "no-store", signal });
      if (!response.ok) throw new Error(String(response.status));
      if (response.status === 204) break;
      const more = await response.json();
      // Unless another read was faster.
      if (from === this.#offset) {
        this.#chats.push(...more);
        this.#offset = response.headers.get("stream-next-offset");
      }
      if (response.headers.get("stream-up-to-date") !== "true") continue;
      if (!wanted) break;
      live = "&live=long-poll";
    } while (!this.#chats.some(({ chat }) => chat === wanted));
    return [...this.#chats].reverse();
  }

  /** Wait no more. */
  leave() {
    this.#aborter.abort();
    this.#aborter = new AbortController();
  }
}
