// The page: which view is shown, and one request a second for what it shows; none while nobody sees it.

import { $, paintedBy, prefix, render } from "./common.js";
import { refreshList, renderList } from "./list.js";
import { look, renderOverview } from "./overview.js";
import { renderRoom } from "./room.js";
import { renderSession } from "./session.js";
import { choose, renderStream, stream } from "./stream.js";
import "./terms.js";

const TICK_MS = 1000, LIST_EVERY = 5;
const OVERVIEW = "/"; // no path of a stream begins with a slash
let ticks = 0;

function wanted() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
}

function route() {
  const path = wanted() === OVERVIEW ? "" : wanted();
  if (path !== (stream?.path ?? "")) choose(path);
  render();
}

function renderView() {
  document.body.dataset.view = stream ? "stream" : wanted() === OVERVIEW ? "overview" : "list";
}

function tick() {
  if (document.hidden) return;
  if (ticks++ % LIST_EVERY === 0) refreshList(); else look();
}

paintedBy(renderView, renderList, renderStream, renderRoom, renderOverview, renderSession);
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { ticks = 0; tick(); } });

$("shell").textContent = `curl -X PUT  ${prefix}hello -H 'content-type: application/json'
curl -X POST ${prefix}hello -H 'content-type: application/json' -d '{"text": "hi"}'
curl -N      ${prefix}hello -H 'accept: text/event-stream'`;

setInterval(tick, TICK_MS);
setInterval(render, 200); // what the page says about time passes by itself
route();
look();
tick();
