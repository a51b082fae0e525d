// A page as applications have it, for a real browser: a stock useChat, a form, and a history in the browser's storage.
// Bundled once for each major version of the SDK; the address says which chat: /?chat=ID
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";

const id = new URLSearchParams(location.search).get("chat");
const stored = JSON.parse(localStorage.getItem(id) ?? "[]");
const transport = new DefaultChatTransport({ api: "/api/chat" });

function Page() {
  const [draft, setDraft] = useState("");
  const { messages, sendMessage, regenerate, status, error } = useChat({ id, messages: stored, resume: true, transport });
  const send = (event) => {
    event.preventDefault();
    const message = { id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text: draft }] };
    localStorage.setItem(id, JSON.stringify([...messages, message]));
    setDraft("");
    void sendMessage(message);
  };
  const stop = () => void fetch(`/api/chat/${encodeURIComponent(id)}/stop`, { method: "POST" });
  const text = (message) => message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return h(
    "main",
    { "data-status": status },
    h("h1", null, id),
    messages.map((message) => h("p", { key: message.id, id: message.id, className: message.role }, text(message))),
    error && h("p", { role: "alert" }, error.message),
    h("form", { onSubmit: send }, h("input", { "aria-label": "Question", value: draft, onChange: (event) => setDraft(event.target.value) })),
    h("button", { onClick: stop, disabled: status !== "streaming" }, "Stop"),
    h("button", { onClick: () => void regenerate(), disabled: status !== "ready" }, "Again"),
    h("output", null, status),
  );
}

createRoot(document.body.appendChild(document.createElement("div"))).render(h(Page));
