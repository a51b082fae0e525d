// A chat route as the AI SDK's documentation has it, with its own server functions, on scripted answers: the control for
// ours. Both versions: /6/api/chat and /7/api/chat. What a chat is answered is in scenarios.json, by the name in its id.
// node control.mjs PORT
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import * as ai from "ai";
import * as ai6 from "ai6";

const scenarios = JSON.parse(readFileSync(new URL("scenarios.json", import.meta.url)));
const sdks = { 6: ai6, 7: ai };
const chats = new Map();

/** A chat: how often it was asked, what its answer has said so far, who waits for more, and what holds it. */
function chatOf(id) {
  if (!chats.has(id)) chats.set(id, { asked: 0, said: null, waiting: [], release: () => {}, held: null });
  return chats.get(id);
}

function hold(chat) {
  chat.held = new Promise((resolve) => (chat.release = resolve));
  return chat.held;
}

/** As a resumable stream keeps it. */
async function keep(chat, stream) {
  const said = [];
  chat.said = said;
  for await (const piece of stream) {
    said.push(piece);
    for (const wake of chat.waiting.splice(0)) wake();
  }
  if (chat.said === said) chat.said = null;
  said.done = true;
  for (const wake of chat.waiting.splice(0)) wake();
}

async function* replayed(chat) {
  const said = chat.said;
  for (let next = 0; ; ) {
    if (next < said.length) yield said[next++];
    else if (said.done) return;
    else await new Promise((resolve) => chat.waiting.push(resolve));
  }
}

async function begin(sdk, { id, messages }) {
  const chat = chatOf(id);
  const turns = scenarios[id.split("-")[0]];
  const turn = turns[Math.min(chat.asked++, turns.length - 1)];
  const stream = sdk.createUIMessageStream({
    originalMessages: messages,
    generateId: sdk.generateId,
    execute: async ({ writer }) => {
      for (const chunk of turn) {
        if (chunk.hold) await hold(chat);
        else writer.write(chunk);
      }
    },
  });
  return sdk.createUIMessageStreamResponse({ stream, consumeSseStream: ({ stream: kept }) => void keep(chat, kept) });
}

async function answer(request) {
  const [, version, ...path] = new URL(request.url, "http://x").pathname.split("/").map(decodeURIComponent);
  if (version === "release") return chatOf(path[0]).release(), new Response(null, { status: 204 });
  if (request.method === "POST") {
    let body = "";
    for await (const piece of request) body += piece;
    return begin(sdks[version], JSON.parse(body));
  }
  const chat = path[0] === "api" && chats.get(path[2]);
  if (!chat || !chat.said) return new Response(null, { status: 204 });
  return new Response(ReadableStream.from(replayed(chat)).pipeThrough(new TextEncoderStream()), { headers: sdks[version].UI_MESSAGE_STREAM_HEADERS });
}

createServer(async (request, response) => {
  try {
    const found = await answer(request);
    response.writeHead(found.status, Object.fromEntries(found.headers));
    if (found.body) Readable.fromWeb(found.body).on("error", () => response.destroy()).pipe(response);
    else response.end();
  } catch (error) {
    response.writeHead(500).end(String(error?.stack ?? error));
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
