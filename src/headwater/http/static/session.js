// Who is signed in: a token is exchanged for a cookie that no script sees. Where nobody is asked, nothing of it is shown.

import { $, Problem, prefix, put, render } from "./common.js";

const asks = document.body.dataset.asks === "tokens", url = `${prefix}-/session`;
const others = asks && new BroadcastChannel(url); // the other tabs have the same cookie
export const session = { subject: null, expires: null };
let note = "";

async function ask(method, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(url, { method, headers, cache: "no-store" }).catch(() => { throw new Problem({}); });
  if (!answer.ok) throw new Problem({ detail: answer.statusText, ...await answer.json().catch(() => ({})), status: answer.status });
  return answer.json();
}

// All that this tab reads is of who was signed in before: it begins anew, and so do the others.
function changed() {
  others.postMessage("changed");
  location.reload();
}

async function signIn() {
  note = "";
  try {
    await ask("POST", $("token").value.trim());
    changed();
  } catch (problem) {
    note = problem.status === 401 ? "The server does not take this token: it has expired, or is another server's." : problem.message;
  }
  render();
}

export const ready = asks ? ask("GET").then(found => { Object.assign(session, found); render(); }, () => {}) : Promise.resolve();

export function renderSession() {
  if (!asks) return;
  $("who").hidden = false;
  $("sign-in").hidden = session.subject !== null;
  $("sign-out").hidden = session.subject === null;
  put("subject", session.subject ?? "Not signed in");
  if (session.expires) $("subject").title = `Until ${new Date(session.expires * 1000).toLocaleString()}`;
  put("login-note", note, note ? "bad" : "");
}

if (asks) {
  const open = () => { if (!$("login").open) $("login").showModal(); };
  addEventListener("not-signed-in", open);
  others.addEventListener("message", () => location.reload());
  $("sign-in").addEventListener("click", open);
  $("not-now").addEventListener("click", () => $("login").close());
  $("login-form").addEventListener("submit", event => { event.preventDefault(); signIn(); });
  $("sign-out").addEventListener("click", () => ask("DELETE").then(changed, problem => { note = problem.message; open(); render(); }));
}
