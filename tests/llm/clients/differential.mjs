// Stock SDKs and clients of JavaScript, each asked for an answer; what its user gets is printed. node differential.mjs
import { HttpAgent } from "@ag-ui/client";
import Anthropic from "@anthropic-ai/sdk";
import * as ai from "ai";
import * as ai6 from "ai6";
import OpenAI from "openai";
import { serve } from "./commands.mjs";
import { chatOf } from "./chat_state.mjs";

const TIMEOUT = 60_000;
const messages = [{ role: "user", content: "hi" }];
const made = new Map();

function client(api, url) {
  const key = `${api} ${url}`;
  if (!made.has(key)) {
    const options = { apiKey: "key", maxRetries: 0, timeout: TIMEOUT, baseURL: url };
    made.set(key, api === "messages" ? new Anthropic(options) : new OpenAI(options));
  }
  return made.get(key);
}

/** The SDKs' helpers for streams wrap exceptions of their own code in the plain class. */
const isPlain = (error) => ["OpenAIError", "AnthropicError"].includes(error.constructor.name);

const told = (error) => ({
  name: error.constructor.name,
  message: error.message,
  body: error.error ?? null,
  is_told: !isPlain(error) && (error instanceof OpenAI.OpenAIError || error instanceof Anthropic.AnthropicError || error.cause !== undefined),
});

/** All events of a stream, and what it ended with. */
async function create({ api, url, model, headers }) {
  const events = [];
  try {
    const sdk = client(api, url);
    const asked = { model, stream: true };
    const stream = await (api === "chat"
      ? sdk.chat.completions.create({ ...asked, messages }, { headers })
      : api === "responses"
        ? sdk.responses.create({ ...asked, input: "hi" }, { headers })
        : sdk.messages.create({ ...asked, max_tokens: 9, messages }, { headers }));
    for await (const event of stream) events.push(event);
  } catch (error) {
    return { events, error: told(error) };
  }
  return { events };
}

/** What the helper for streams puts together, and what it ended with. */
async function stream({ api, url, model, headers }) {
  try {
    const sdk = client(api, url);
    if (api === "chat") return { final: await sdk.chat.completions.stream({ model, messages }, { headers }).finalChatCompletion() };
    if (api === "responses") return { final: await sdk.responses.stream({ model, input: "hi" }, { headers }).finalResponse() };
    return { final: await sdk.messages.stream({ model, max_tokens: 9, messages }, { headers }).finalMessage() };
  } catch (error) {
    return { error: told(error) };
  }
}

/** A chat of the AI SDK, as `useChat` keeps it. */
const chat = ({ sdk, url, headers }) => chatOf(sdk === 7 ? ai : ai6, url, headers);

/** An agent of AG-UI: its messages, and the events that make none. */
async function agent({ url }) {
  const agent = new HttpAgent({ url, threadId: "chat-1" });
  const seen = { custom: [] };
  const subscriber = {
    onCustomEvent: ({ event }) => void seen.custom.push({ name: event.name, value: event.value }),
    onRunErrorEvent: ({ event }) => void Object.assign(seen, { error: { message: event.message, code: event.code }, usage: event.usage }),
    onRunFinishedEvent: ({ event }) => void Object.assign(seen, { outcome: event.outcome, result: event.result, usage: event.usage }),
  };
  try {
    await agent.runAgent({ runId: "run-1" }, subscriber);
  } catch (error) {
    seen.error ??= { message: error.message };
  }
  return { ...seen, messages: agent.messages };
}

const alone = { create, stream, chat, agent };

/** Several at the same time; their answers in order. */
const together = ({ commands }) =>
  Promise.all(commands.map((command) => alone[command.do](command).catch((error) => ({ crash: String(error?.stack ?? error) }))));

await serve({ ...alone, together });
