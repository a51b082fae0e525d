// Reading a stream by the TypeScript client: on one WebSocket for all tabs of the page, or where that does not work by HTTP.

import { connect, stream, tabs } from "./headwater.js";
import { call, prefix, render, urlOf } from "./common.js";
import { ready, session } from "./session.js";

const retry = { cap: 8000 }; // milliseconds between two tries
const plain = raw => raw; // rows show records as they were appended
let hub = null, works = false, apart = !document.body.dataset.reads; // the connection; whether it ever was live; whether it is done without

export const link = () => apart || !hub || hub.role === "alone" ? "own" : hub.role === "leader" ? "held here" : "shared";

// A stream over HTTP; what is appended is text that is a record already.
export const plainly = (path, type, query = "?reader=page") => stream(urlOf(path, query), {
  type, retry, decode: plain, transport: "ndjson", codec: { encode: text => new TextEncoder().encode(text), decode: plain },
});

async function shared(path, type) {
  await ready;
  if (!hub && !apart) {
    hub = connect(prefix, { name: "page", retry, share: tabs({ user: session.subject ?? "-" }) });
    hub.on("role", render);
    hub.on("state", state => { works ||= state === "live"; });
  }
  return apart ? plainly(path, type) : hub.stream(path, { type, decode: plain });
}

// Some proxies pass no WebSocket. One that never was there is done without, if the server is there all the same.
async function doubt({ facts, status }) {
  if (works || apart || facts.opened !== false) return;
  const found = status ?? await call("GET", `${prefix}-/connect`).catch(problem => problem.status);
  if (found === 426 && !works) part();
}

function part() {
  apart = true;
  hub.close();
}

// Reads behind an offset until it ends or is closed; gives what closes it. Calls told: { record }, { gap }, { state },
// { error } when the connection was lost, and { end }.
export function follow(path, type, offset, hear) {
  let reader = null, isOver = false;
  const told = news => { if (!isOver) hear(news); };
  const run = async () => {
    for (let from = offset, end = null; !isOver && end === null; from = reader.offset) {
      const isShared = !apart;
      const handle = await shared(path, type);
      if (isOver) return;
      reader = handle.read({ from, envelope: true });
      reader.on("state", state => told({ state }));
      reader.on("error", error => {
        if (error.facts.moved) reader.reconnect(); // to another tab: no loss, and nothing to wait for
        else told({ error });
        if (isShared) doubt(error);
      });
      try {
        for await (const { records, gap } of reader.batches()) {
          if (gap) told({ gap });
          for (const record of records) told({ record });
        }
      } catch { /* see its end */ }
      end = await reader.end;
      if (isShared && !works && end.kind === "error" && end.error.status !== 401) part();
      if (isShared && apart && (end.kind === "stopped" || end.kind === "error")) end = null;
      if (end) told({ end });
    }
  };
  run();
  return () => { isOver = true; reader?.close(); };
}
