// A chat of the AI SDK without React: one answer, and the message that useChat would show.

/** The state that useChat keeps. */
export class State {
  status = "ready";
  error = undefined;
  messages = [];
  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index, message) => (this.messages = this.messages.with(index, structuredClone(message)));
  snapshot = (value) => structuredClone(value);
}

/** Say something, and read the answer to its end; with `headers` it is there already, and only got. */
export async function chatOf(sdk, url, headers) {
  const seen = { data: [] };
  class Chat extends sdk.AbstractChat {}
  const chat = new Chat({
    id: "chat-1",
    state: new State(),
    transport: new sdk.DefaultChatTransport({ api: url, ...(headers && { fetch: (api) => fetch(api, { headers }) }) }),
    onError: () => {},
    onData: (part) => void seen.data.push(part),
    onFinish: ({ finishReason }) => (seen.finishReason = finishReason),
  });
  await chat.sendMessage({ text: "hi" });
  const message = chat.messages.at(-1);
  const answer = message?.role === "assistant" ? message : { parts: [] };
  return { ...seen, parts: answer.parts, metadata: answer.metadata, status: chat.status, error: chat.error?.message };
}
