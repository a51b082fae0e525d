// What every part of the page needs: its place, words for numbers, requests, and one painting a frame.

export const $ = id => document.getElementById(id);
export const base = location.origin + location.pathname; // ends in a slash; the page may be mounted under a prefix
export const prefix = base + document.body.dataset.prefix;

export const encodePath = path => path.split("/").map(encodeURIComponent).join("/");
export const urlOf = (path, query = "") => `${prefix}${encodePath(path)}${query}`;
export const isJson = type => type.split(";")[0].trim().toLowerCase() === "application/json";
export const isText = type => type.toLowerCase().startsWith("text/") || isJson(type);

// Words for numbers

export const clock = time => new Date(time).toTimeString().slice(0, 8);
export const whole = count => Math.round(count).toLocaleString("en");
export const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;
export const seconds = time => time < 60_000 ? `${(time / 1000).toFixed(1)} s` : `${Math.floor(time / 60_000)} min ${Math.floor(time / 1000) % 60} s`;
const digits = value => value.toFixed(value < 100 ? 1 : 0);
export const bytes = size => size < 1000 ? `${size} B` : size < 1e6 ? `${digits(size / 1e3)} kB` : size < 1e9 ? `${digits(size / 1e6)} MB` : `${digits(size / 1e9)} GB`;
export const short = count => count < 10 ? String(Math.round(count * 10) / 10) : count < 1e4 ? whole(count) : count < 1e6 ? `${(count / 1e3).toFixed(1)}k` : `${(count / 1e6).toFixed(1)}M`;
export const millis = time => time < 0.001 ? `${(time * 1e3).toFixed(2)} ms` : time < 0.01 ? `${(time * 1e3).toFixed(1)} ms` : time < 1 ? `${Math.round(time * 1e3)} ms` : `${time.toFixed(1)} s`;
export const lasting = time => time < 60 ? `${Math.floor(time)} s` : time < 3600 ? `${Math.floor(time / 60)} min` : time < 86400 ? `${Math.floor(time / 3600)} h ${Math.floor(time / 60) % 60} min` : `${Math.floor(time / 86400)} d ${Math.floor(time / 3600) % 24} h`;

// Requests

export class Problem extends Error {
  constructor({ status = 0, code = "", detail = "The server does not answer.", advice = "" }) {
    super(`${detail.replace(/^[a-z]/, first => first.toUpperCase()).replace(/[^.]$/, "$&.")} ${advice}`.trim());
    Object.assign(this, { status, code });
    this.passing = status === 0 || status === 429 || status >= 500;
  }
}

export async function call(method, url, options = {}) {
  const answer = await fetch(url, { method, cache: "no-store", ...options }).catch(() => { throw new Problem({}); });
  if (answer.ok) return answer;
  if (answer.status === 401) dispatchEvent(new Event("not-signed-in"));
  throw new Problem({ detail: answer.statusText, ...await answer.json().catch(() => ({})), status: answer.status });
}

// Painting. Text from outside goes in as text only.

const painters = [];
let scheduled = false;

export function paintedBy(...functions) { painters.push(...functions); }

export function render() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; for (const paint of painters) paint(); });
}

export function put(id, text, kind) {
  const node = $(id);
  if (node.textContent !== text) node.textContent = text;
  if (kind !== undefined) { node.classList.toggle("good", kind === "good"); node.classList.toggle("bad", kind === "bad"); }
}

export function make(tag, name, ...content) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...content); // strings become text nodes
  return node;
}
