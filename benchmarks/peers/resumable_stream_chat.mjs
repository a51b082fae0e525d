// A chat with resumable-stream on Node's own HTTP server: PORT, and REDIS_SOCKET of a Redis.
import http from "node:http";
import { createClient } from "redis";
import { createResumableStreamContext } from "resumable-stream";

const PERIOD_NS = 1_000_000_000n / 30n;
const socket = { path: process.env.REDIS_SOCKET };
const publisher = createClient({ socket });
const subscriber = createClient({ socket });
await Promise.all([publisher.connect(), subscriber.connect()]);
const streams = createResumableStreamContext({ waitUntil: () => {}, publisher, subscriber });

// The same model as scripted_model.py; process.hrtime is CLOCK_MONOTONIC.
async function* tokens({ tokens: count = 0, phase = 0 }) {
  const begin = process.hrtime.bigint() + BigInt(Math.floor(phase * 1e9));
  for (let number = 0n; !count || number < count; number++) {
    const due = begin + number * PERIOD_NS;
    const rest = Number(due - process.hrtime.bigint()) / 1e6;
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    yield number ? `<${number}>` : `<@${due}>`;
  }
}

async function* told(request) {
  for await (const token of tokens(request)) yield `data: ${JSON.stringify({ content: token })}\n\n`;
  yield "data: [DONE]\n\n";
}

async function send(response, stream) {
  if (!stream) return response.writeHead(stream === null ? 204 : 404).end();
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  for await (const text of stream) {
    if (response.destroyed) return;
    response.write(text);
  }
  response.end();
}

async function answer(request, response) {
  const [, , , chat] = request.url.split("?")[0].split("/");
  if (request.method === "GET") return send(response, await streams.resumeExistingStream(chat));
  let body = "";
  for await (const piece of request) body += piece;
  const asked = JSON.parse(body);
  return send(response, await streams.createNewResumableStream(asked.id, () => ReadableStream.from(told(asked))));
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(`${request.method}: ${error.message}`);
    response.destroy(error);
  });
});
server.listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
