// A page with a stock useChat that a test drives, for a real browser: `act`, `state`, and what it asked for. The address
// says which chat and where: /?chat=ID&api=/api/chat
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { useChat } from "@ai-sdk/react";
import * as ai from "ai";

const query = new URLSearchParams(location.search);
const requests = [];
const data = [];
const transport = new ai.DefaultChatTransport({
  api: query.get("api"),
  fetch: async (url, init) => {
    const body = init?.body ? JSON.parse(init.body) : null;
    requests.push({ method: init?.method ?? "GET", path: url.slice(query.get("api").length), body });
    const answer = await fetch(url, init);
    answered += 1;
    return answer;
  },
});
let answered = 0;
let hook;
let show;

const whenDone = (options) =>
  ai.lastAssistantMessageIsCompleteWithToolCalls(options) ||
  (ai.lastAssistantMessageIsCompleteWithApprovalResponses?.(options) ?? false);

function Chat({ id }) {
  hook = useChat({
    id,
    messages: JSON.parse(localStorage.getItem(id) ?? "[]"),
    resume: true,
    transport,
    sendAutomaticallyWhen: whenDone,
    onToolCall: ({ toolCall }) => {
      if (toolCall.toolName === "city" && id.startsWith("clienttool") && !toolCall.dynamic)
        void hook.addToolOutput({ tool: "city", toolCallId: toolCall.toolCallId, output: "Oslo" });
    },
    onData: (part) => data.push(part),
    onError: () => {},
  });
  return h("main", { "data-status": hook.status }, hook.status);
}

function Page() {
  const [id, setId] = useState(query.get("chat"));
  show = setId;
  return h(Chat, { key: id, id });
}

const acts = {
  send: ({ id, text, files }) => {
    const parts = [...(files ?? []), { type: "text", text }];
    void hook.sendMessage({ id, role: "user", parts });
  },
  edit: ({ messageId, text }) => void hook.sendMessage({ text, messageId }),
  regenerate: (options) => void hook.regenerate(options),
  approve: ({ id, approved, reason }) => void hook.addToolApprovalResponse({ id, approved, reason }),
  stop: () => void hook.stop(),
  show: ({ id }) => show(id),
  store: ({ id }) => localStorage.setItem(id, JSON.stringify(hook.messages)),
  store_sent: ({ id }) => localStorage.setItem(id, JSON.stringify(requests.findLast(({ body }) => body).body.messages)),
  store_question: ({ id }) => localStorage.setItem(id, JSON.stringify(hook.messages.filter(({ role }) => role === "user"))),
};

window.act = (what, how) => acts[what](how);
window.state = () => ({ messages: hook.messages, status: hook.status, error: hook.error?.message ?? null, requests, data });
window.meets = ({ status, count, text, asked, ...wanted }) => {
  const { messages } = hook;
  const said = messages.at(-1)?.parts.map((part) => part.text ?? "").join("") ?? "";
  return (
    (status === undefined || hook.status === status) &&
    (wanted.answered === undefined || answered >= wanted.answered) &&
    (count === undefined || messages.length === count) &&
    (text === undefined || said.endsWith(text)) &&
    (asked === undefined || requests.filter(({ method }) => method === "POST").length >= asked)
  );
};
createRoot(document.body.appendChild(document.createElement("div"))).render(h(Page));
