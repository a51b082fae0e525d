// The page: one chat at a time, the list of all, and what happens to the run that is shown.
//
// Rule: the log is right. What was asked here is shown at once, and becomes the turn that the chat's stream tells.

import { ChatHistory, ChatList } from "./history.js";
import { Follow } from "./follow.js";
import { Turn } from "./turn.js";

const VIEWERS_EVERY = 2000;
// Answers read at the same time; a browser has six connections to a server for all its tabs.
const READERS = 2;

const $ = (id) => document.getElementById(id);
const follow = new Follow($("scroll"), $("to-end"));
const list = new ChatList();

let chat = null; // { id, isNew, turns: Turn[], history }
let chats = [];
let viewers = 0;
let isThere = true;

// Turns

const on = {
  grew: () => follow.grew(),
  block: (text) => say(text),
  regenerate: (turn) => askAgain(turn),
  changed: (turn) => {
    if (turn.state !== turn.told) {
      turn.told = turn.state;
      if (turn.isLive && !turn.isOpen) say(turn.verdict.textContent || "The answer is complete.");
      if (!turn.isOpen) readMore();
    }
    // The question is written down before the model says anything.
    if (turn.run && (turn.answer || !turn.isOpen) && !chat.isFollowed && !document.hidden) followHistory();
    if (turn === last()) show();
  },
};

function last() {
  return chat?.turns.at(-1);
}

function addTurn(asked) {
  const turn = new Turn(asked, on);
  chat.turns.push(turn);
  $("turns").append(turn.element);
  $("start").hidden = true;
  follow.toEnd();
  return turn;
}

/** A record of the chat's stream. One that asks again takes the place of the first, and of what came after it. */
function told({ id, text, run }) {
  const at = chat.turns.findIndex((turn) => turn.id === id);
  const turn = at < 0 ? addTurn({ id, text }) : chat.turns[at];
  if (at >= 0 && turn.wanted !== run) for (const later of chat.turns.splice(at + 1)) later.remove();
  turn.wanted = run;
  // What is being asked from here is told by the answer to the question.
  if (!turn.isAsking) queueMicrotask(readMore);
}

/** Read the answers that are not shown yet, the last one first. */
function readMore() {
  if (!chat || document.hidden) return;
  let room = READERS - chat.turns.filter((turn) => turn.state === "running").length;
  for (const turn of [...chat.turns].reverse()) {
    if (turn.isAsking || !turn.wanted || turn.run === turn.wanted) continue;
    if (turn !== last() && room <= 0) return;
    room -= 1;
    turn.follow(turn.wanted);
  }
}

// Asking

async function ask(text) {
  if (chat.isNew) {
    chat.isNew = false;
    history.pushState(null, "", `#${chat.id}`);
  }
  const turn = addTurn({ id: crypto.randomUUID(), text });
  follow.toEnd();
  await send(turn, {});
}

async function askAgain(turn) {
  const at = chat.turns.indexOf(turn);
  for (const later of chat.turns.splice(at + 1)) later.remove();
  $("text").focus();
  await send(turn, { again: turn.state !== "unsent" && turn.state !== "refused" });
}

async function send(turn, options) {
  const asked = chat;
  turn.isAsking = true;
  say("Asked.");
  await turn.ask(asked.id, options);
  turn.isAsking = false;
  if (turn.run) turn.wanted = turn.run;
  refreshList(turn.run && asked.id);
  if (chat !== asked) return turn.remove();
  if (document.hidden) turn.leave();
  if (turn.state === "unsent" && !$("text").value) {
    $("text").value = turn.text;
    asked.turns.splice(asked.turns.indexOf(turn), 1);
    turn.remove();
  }
  show();
}

function stop() {
  const open = chat?.turns.findLast((turn) => turn.isOpen);
  open?.stop();
}

// Chats

function followHistory() {
  chat.isFollowed = true;
  chat.history.follow();
}

function open(id) {
  for (const turn of chat?.turns ?? []) turn.remove();
  chat?.history.leave();
  const opened = { id: id || crypto.randomUUID().slice(0, 13), isNew: !id, turns: [] };
  const current = () => chat === opened;
  opened.isFollowed = Boolean(id);
  opened.history = new ChatHistory(opened.id, {
    turn: (turn) => current() && told(turn),
    connection: (there) => {
      if (!current()) return;
      isThere = there;
      show();
    },
  });
  chat = opened;
  isThere = true;
  $("start").hidden = Boolean(id);
  follow.toEnd();
  if (id && !document.hidden) followHistory();
  closeMenu();
  show();
  showList();
}

/** @param {string} [asked] a chat that is to be in it */
async function refreshList(asked) {
  try {
    chats = await list.read(asked);
  } catch {
    return; // the trouble is shown by what needs the server
  }
  showList();
}

function showList() {
  const items = chats.map(({ chat: id, title }) => {
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = title || "Without words";
    if (id === chat?.id) link.setAttribute("aria-current", "page");
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  const focused = document.activeElement?.getAttribute("href");
  $("chats").replaceChildren(...items);
  if (focused && focused !== "#") items.find((item) => item.firstChild.getAttribute("href") === focused)?.firstChild.focus();
  const title = chat?.turns[0]?.text || chats.find(({ chat: id }) => id === chat?.id)?.title || "New chat";
  $("title").textContent = title;
  document.title = `${title.slice(0, 60)} · Headwater chat`;
}

// What is shown beside the turns

function say(text) {
  const line = document.createElement("p");
  line.textContent = text;
  $("said").append(line);
  while ($("said").childElementCount > 5) $("said").firstChild.remove();
}

const STATES = { sending: "asking", refused: "not accepted", unsent: "not sent" };

function show() {
  const turn = last();
  const isOpen = Boolean(turn?.isOpen);
  $("send").hidden = isOpen;
  $("stop").hidden = !isOpen;
  $("send").disabled = !$("text").value.trim();
  $("facts").dataset.state = turn?.state ?? "";
  if (turn) showFacts(turn);
  else for (const part of $("facts").children) part.textContent = "";
  const text = trouble(turn);
  if ($("trouble").textContent !== text) $("trouble").textContent = text;
}

function showFacts(turn) {
  const isRunning = turn.state === "running";
  set("state", turn.waiting && isRunning ? "reconnecting" : (STATES[turn.state] ?? turn.state));
  set("run", turn.run && `run ${turn.run}`, turn.run);
  set("offset", turn.offset && `offset ${short(turn.offset)}`, turn.offset);
  set("viewers", isRunning && viewers > 0 ? `${viewers} ${viewers === 1 ? "viewer" : "viewers"}` : tokens(turn));
  set("note", short(turn.note), turn.note);
}

/** Without the zeros that make offsets sort as text. */
function short(text) {
  return text.replace(/\b0*(\d+)_0*(\d+)\b/, "$1_$2");
}

function tokens({ usage }) {
  const count = usage?.outputTokens;
  return count ? `${count} tokens` : "";
}

function set(id, text, title = "") {
  if ($(id).textContent !== text) $(id).textContent = text;
  $(id).title = title;
}

function trouble(turn) {
  const waits = turn?.isOpen && turn.waiting > 1;
  if (!navigator.onLine && (turn?.isOpen || !isThere)) return "You are offline. The answer goes on without you; it is read on when the network is back.";
  if (waits && turn.state === "sending") return "The server does not answer. Trying to send again; it is asked only once.";
  if (waits) return "The connection is lost. Trying again, from where you are.";
  if (!isThere && chat.turns.length) return "The server does not answer. Trying again.";
  return "";
}

async function countViewers() {
  const turn = last();
  if (turn?.state !== "running" || turn.waiting || document.hidden) return;
  try {
    const response = await fetch(`/api/runs/${turn.run}`, { cache: "no-store" });
    if (response.ok) viewers = (await response.json()).readers;
  } catch {
    viewers = 0;
  }
  show();
}

// The form

const text = $("text");

function fit() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, innerHeight * 0.4)}px`;
  show();
}

text.addEventListener("input", fit);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("ask").requestSubmit();
});
$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = text.value.trim();
  if (!asked || last()?.isOpen) return;
  text.value = "";
  fit();
  text.focus();
  ask(asked);
});
$("stop").addEventListener("click", () => {
  stop();
  text.focus();
});

// The list on a narrow page

function openMenu() {
  document.body.classList.add("with-side");
  $("shade").hidden = false;
  $("menu").setAttribute("aria-expanded", "true");
  document.querySelector("main").inert = true;
  $("new").focus();
}

function closeMenu() {
  const wasOpen = document.body.classList.contains("with-side");
  document.body.classList.remove("with-side");
  $("shade").hidden = true;
  $("menu").setAttribute("aria-expanded", "false");
  document.querySelector("main").inert = false;
  return wasOpen;
}

$("menu").addEventListener("click", openMenu);
$("shade").addEventListener("click", closeMenu);
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  if (closeMenu()) $("menu").focus();
  else stop();
});
$("new").addEventListener("click", (event) => {
  event.preventDefault();
  if (location.hash) history.pushState(null, "", location.pathname);
  open("");
  text.focus();
});
$("chats").addEventListener("click", (event) => {
  if (event.target.closest("a")) text.focus();
});
addEventListener("popstate", () => {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id && id === chat.id) closeMenu();
  else open(id);
});

// A page that nobody sees holds no connection. When it is seen again it goes on at its offsets.

function seen() {
  if (document.hidden) {
    list.leave();
    chat.history.leave();
    for (const turn of chat.turns) turn.leave();
    return;
  }
  if (chat.isFollowed) followHistory();
  for (const turn of chat.turns) if (turn.state === "running") turn.resume();
  readMore();
  refreshList();
}

document.addEventListener("visibilitychange", seen);
addEventListener("pageshow", (event) => event.persisted && seen());
addEventListener("online", show);
addEventListener("offline", show);
setInterval(countViewers, VIEWERS_EVERY);

async function showModel() {
  const model = await (await fetch("/api/model")).json();
  $("model-name").textContent = model.name;
  $("model-about").textContent = model.about;
  $("badge").hidden = model.isReal;
  for (const question of model.tries) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = question;
    button.addEventListener("click", () => {
      text.focus();
      if (!last()?.isOpen) ask(question);
    });
    $("tries").append(button);
  }
}

open(decodeURIComponent(location.hash.slice(1)));
text.focus();
refreshList();
showModel();
