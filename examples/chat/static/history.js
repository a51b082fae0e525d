// What was asked, as the server keeps it: a stream for each chat, read live by the client, and one of all chats.

import { stream } from "./headwater.js";

/**
 * Follows one chat's stream. Calls `on.turn({ id, text, run })` for each of its records, once and in order, and
 * `on.connection(isThere)` when that changes.
 */
export class ChatHistory {
  #reader = null;
  #offset = "start";

  constructor(chat, on) {
    this.chat = stream(`/history/chats/${encodeURIComponent(chat)}`);
    this.on = on;
  }

  /** Goes on behind the last record, until it is left. The client comes back by itself, however a connection ends. */
  async follow() {
    this.leave();
    const reader = (this.#reader = this.chat.read({ from: this.#offset, missing: "wait" }));
    reader.on("state", (state) => {
      if (state === "waiting" || state === "offline") this.on.connection(false);
      else if (state === "live" || state === "absent") this.on.connection(true);
    });
    try {
      for await (const { data, offset } of reader) {
        this.#offset = offset;
        this.on.turn(data);
      }
    } catch {
      this.on.connection(false);
    }
  }

  leave() {
    this.#reader?.close();
    this.#reader = null;
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
