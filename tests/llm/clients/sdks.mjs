// Stock SDKs and clients read from real servers; what each gives its user is the answer. node sdks.mjs
import { HttpAgent } from "@ag-ui/client";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { serve } from "./commands.mjs";
import { read } from "./tutorial.mjs";

const TIMEOUT = 60_000;
const messages = [{ role: "user", content: "hi" }];

/** What every API's events say, in the words of live.py. */
function take(seen, event) {
  seen.events.push(event);
  if (event.choices) {
    for (const { delta, finish_reason } of event.choices) {
      seen.text += delta.content ?? "";
      seen.finish = finish_reason ?? seen.finish;
    }
  } else if (event.type === "response.output_text.delta") seen.text += event.delta;
  else if (event.type === "response.completed" || event.type === "response.incomplete") seen.finish = event.response.status;
  else if (event.type === "response.failed") seen.finish = `failed, ${event.response.error.code}`;
  else if (event.type === "content_block_delta") seen.text += event.delta.text ?? "";
  else if (event.type === "message_delta") seen.finish = event.delta.stop_reason;
}

function client({ api, url, headers, retries }) {
  const made = { apiKey: "key", maxRetries: retries ?? 0, defaultHeaders: headers, timeout: TIMEOUT };
  return api === "messages" ? new Anthropic({ ...made, baseURL: url }) : new OpenAI({ ...made, baseURL: `${url}/v1` });
}

function begin(made, api, model, stream) {
  if (api === "chat") return made.chat.completions.create({ model, messages, stream });
  if (api === "responses") return made.responses.create({ model, input: "hi", stream });
  return made.messages.create({ model, max_tokens: 9, messages, stream });
}

const told = (error) => ({
  name: error.constructor.name,
  code: error.code ?? error.type ?? error.error?.error?.type ?? null,
  status: error.status ?? null,
  message: error.message,
});

/** `release`: the URL that lets the provider go on, used when the answer's word was read. */
async function stream({ api, model, release, cut, ...how }) {
  const seen = { events: [], text: "", finish: null, error: null };
  try {
    for await (const event of await begin(client({ api, ...how }), api, model, true)) {
      take(seen, event);
      if (!seen.text.includes("wörld")) continue;
      if (cut) return seen;
      if (release) await fetch(release, { method: "PUT" });
      release = undefined;
    }
  } catch (error) {
    seen.error = told(error);
  }
  return seen;
}

async function whole({ api, model, ...how }) {
  try {
    return { value: await begin(client({ api, ...how }), api, model, false) };
  } catch (error) {
    return { error: told(error) };
  }
}

/** What the SDK's helper for streams puts together. */
async function final({ api, model, ...how }) {
  const made = client({ api, ...how });
  if (api === "chat") return made.chat.completions.stream({ model, messages }).finalChatCompletion();
  if (api === "responses") return made.responses.stream({ model, input: "hi" }).finalResponse();
  return made.messages.stream({ model, max_tokens: 9, messages }).finalMessage();
}

const agents = new Map();

/** Reads an answer; when it was silent for three keepalives, the provider is let go on. */
async function quiet({ url, body, release }) {
  const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const seen = { comments: 0, rest: "" };
  for await (const piece of (await fetch(url, body && post)).body.pipeThrough(new TextDecoderStream())) {
    seen.comments += piece.split("\n").filter((line) => line.startsWith(":") || line === "event: ping").length;
    if (release && seen.comments >= 3) {
      seen.early = seen.rest;
      await fetch(release, { method: "PUT" });
      release = undefined;
    }
    seen.rest += piece;
  }
  return seen;
}

/** An agent of AG-UI says something in its thread, or asks again; `word` is what it stops at. */
async function agent({ url, thread, content, run, release, stop, word, watch }) {
  if (!agents.has(thread)) agents.set(thread, new HttpAgent({ url, threadId: thread }));
  const made = agents.get(thread);
  if (content !== undefined) made.addMessage({ id: `${thread}-${made.messages.length}`, role: "user", content });
  const seen = { text: "", error: null };
  const subscriber = {
    onTextMessageContentEvent: ({ event }) => {
      seen.text += event.delta;
      if (release && !watch && seen.text.includes("wörld")) void fetch(release, { method: "PUT" });
      if (stop && seen.text.includes(word)) void fetch(stop, { method: "POST" });
    },
    onRunStartedEvent: ({ event }) => {
      Object.assign(seen, { thread: event.threadId, run: event.runId });
      if (watch) void quiet({ url: watch, release });
    },
    onRunErrorEvent: ({ event }) => void ((seen.error = event.message), (seen.code = event.code)),
    onRunFinishedEvent: ({ event }) => void ((seen.outcome = event.outcome?.type), (seen.tokens = event.usage?.[0]?.totalTokens)),
  };
  try {
    await made.runAgent({ runId: run }, subscriber);
  } catch (error) {
    seen.error ??= error.message;
  }
  seen.messages = made.messages.map(({ id, role, content, toolCalls }) => ({ id, role, content, calls: toolCalls?.map((call) => call.function) }));
  return seen;
}

const plain = ({ url, method, body, release, word }) =>
  read(url, body && { method: method ?? "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }, (seen) => {
    if (release && seen.text.includes(word ?? "wörld")) void fetch(release, { method: "PUT" });
  });

const alone = { stream, whole, final, agent, plain, quiet };

/** Several at the same time; their answers in order. */
const together = ({ commands }) => Promise.all(commands.map((command) => alone[command.do](command)));

await serve({ ...alone, together });
