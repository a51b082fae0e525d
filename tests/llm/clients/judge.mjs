// Stock clients read runs from a server; what each reports is printed as a JSON array.
// node judge.mjs BASE_URL < [{"client": "ai", "path": "/x"}, ...]
import { HttpAgent } from "@ag-ui/client";
import Anthropic from "@anthropic-ai/sdk";
import * as ai from "ai";
import * as ai6 from "ai6";
import OpenAI from "openai";
import { State } from "./chat_state.mjs";

const base = process.argv[2];

async function chat(sdk, path, resume) {
  class Chat extends sdk.AbstractChat {
    constructor() {
      super({
        id: "chat-1",
        state: new State(),
        transport: new sdk.DefaultChatTransport({
          api: base + path,
          prepareReconnectToStreamRequest: () => ({ api: base + path }),
        }),
        onError: () => {},
        onFinish: ({ finishReason, isError, isDisconnect }) => (seen = { finishReason, isError, isDisconnect }),
      });
    }
  }
  let seen = {};
  const made = new Chat();
  await (resume ? made.resumeStream() : made.sendMessage({ text: "hi" }));
  const message = made.messages.at(-1);
  const parts = message?.role === "assistant" ? message.parts : [];
  return {
    id: message?.id,
    text: parts.filter((part) => part.type === "text").map((part) => part.text).join(""),
    texts: parts.filter((part) => part.type === "text").map((part) => part.state),
    reasoning: parts.filter((part) => part.type === "reasoning").map((part) => part.text).join(""),
    tools: parts
      .filter((part) => part.type.startsWith("tool-"))
      .map((part) => ({ name: part.type.slice(5), state: part.state, input: part.input, output: part.output })),
    metadata: message?.metadata,
    status: made.status,
    error: made.error?.message,
    ...seen,
  };
}

async function completions(path) {
  const client = new OpenAI({ apiKey: "x", baseURL: base + path, maxRetries: 0 });
  const seen = { text: "", reasoning: "", tools: [] };
  try {
    for await (const chunk of await client.chat.completions.create({ model: "m", messages: [], stream: true })) {
      seen.id = chunk.id;
      for (const { delta, finish_reason } of chunk.choices) {
        seen.text += delta.content ?? "";
        seen.reasoning += delta.reasoning_content ?? "";
        seen.finishReason = finish_reason ?? seen.finishReason;
        for (const call of delta.tool_calls ?? []) {
          seen.tools[call.index] ??= { name: "", arguments: "" };
          seen.tools[call.index].name += call.function?.name ?? "";
          seen.tools[call.index].arguments += call.function?.arguments ?? "";
        }
      }
      if (chunk.usage) seen.tokens = chunk.usage.total_tokens;
    }
  } catch (error) {
    seen.error = error.message;
    seen.code = error.code;
  }
  return seen;
}

async function responses(path) {
  const client = new OpenAI({ apiKey: "x", baseURL: base + path, maxRetries: 0 });
  const seen = { text: "" };
  try {
    const stream = client.responses.stream({ model: "m", input: "" });
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") seen.text += event.delta;
      if (event.response) seen.status = event.response.status;
      if (event.response?.error) seen.error = event.response.error.message;
      if (event.response?.incomplete_details) seen.reason = event.response.incomplete_details.reason;
      if (event.type === "error") seen.error = event.message;
    }
    const whole = await stream.finalResponse();
    seen.whole = whole.output_text;
    seen.items = whole.output.map((item) => item.type);
    seen.tokens = whole.usage?.total_tokens;
  } catch (error) {
    seen.error ??= error.message;
  }
  return seen;
}

async function messages(path) {
  const client = new Anthropic({ apiKey: "x", baseURL: base + path, maxRetries: 0 });
  const stream = client.messages.stream({ model: "m", max_tokens: 5, messages: [] });
  const seen = { text: "" };
  stream.on("text", (text) => (seen.text += text));
  try {
    const message = await stream.finalMessage();
    seen.content = message.content;
    seen.finishReason = message.stop_reason;
    seen.tokens = message.usage.input_tokens + message.usage.output_tokens;
  } catch (error) {
    seen.error = error.message;
  }
  return seen;
}

async function agent(path) {
  const made = new HttpAgent({ url: base + path, threadId: "chat-1" });
  const seen = { text: "", reasoning: "" };
  const subscriber = {
    onTextMessageContentEvent: ({ event }) => void (seen.text += event.delta),
    onReasoningMessageContentEvent: ({ event }) => void (seen.reasoning += event.delta),
    onRunErrorEvent: ({ event }) => void ((seen.error = event.message), (seen.code = event.code)),
    onRunFinishedEvent: ({ event }) => void ((seen.outcome = event.outcome?.type), (seen.tokens = event.usage?.[0]?.totalTokens)),
  };
  try {
    await made.runAgent({ runId: "run-1" }, subscriber);
  } catch (error) {
    seen.error ??= error.message;
  }
  seen.messages = made.messages.map((message) => ({ role: message.role, content: message.content, tools: message.toolCalls?.map((call) => call.function) }));
  return seen;
}

/** As the tutorials have it. */
async function tutorial(path) {
  const seen = { text: "" };
  const response = await fetch(base + path);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => ((seen.error = error.message), { done: true }));
    if (done) return seen;
    buffer += decoder.decode(value, { stream: true });
    const lines = buffer.split("\n");
    buffer = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const data = line.slice(6);
      if (data === "[DONE]") {
        seen.done = true;
        continue;
      }
      const { content, error } = JSON.parse(data);
      if (error) seen.error = error;
      else seen.text += content;
    }
  }
}

/** A body of text; an answer that is cut is an error. */
async function text(path) {
  const seen = { text: "" };
  try {
    const decoder = new TextDecoder();
    for await (const piece of (await fetch(base + path)).body) seen.text += decoder.decode(piece, { stream: true });
  } catch (error) {
    seen.error = error.message;
  }
  return seen;
}

const clients = {
  ai: (path) => chat(ai, path),
  ai6: (path) => chat(ai6, path),
  "ai-resume": (path) => chat(ai, path, true),
  "ai6-resume": (path) => chat(ai6, path, true),
  openai: completions,
  "openai-responses": responses,
  anthropic: messages,
  "ag-ui": agent,
  plain: tutorial,
  text,
};

// Some clients let the error of a connection that is cut escape a second time, beside the one they report.
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});

let asked = "";
for await (const piece of process.stdin) asked += piece;
console.warn = console.error = () => {};
const all = [];
for (const { client, path } of JSON.parse(asked)) {
  all.push(await clients[client](path).catch((error) => ({ crash: String(error?.stack ?? error) })));
}
process.stdout.write(JSON.stringify(all), () => process.exit(0)); // connections are kept alive
