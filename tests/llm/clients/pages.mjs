// Pages with useChat in them, each a React root in jsdom, that are told what a user does. node pages.mjs BASE_URL
import { JSDOM } from "jsdom";
import { serve } from "./commands.mjs";

const base = process.argv[2];
const dom = new JSDOM("<!doctype html><body></body>", { url: base, pretendToBeVisual: true });
Object.assign(globalThis, { window: dom.window, document: dom.window.document });

const { createElement, useEffect } = await import("react");
const { createRoot } = await import("react-dom/client");
const sdks = {
  6: { ...(await import("ai6")), ...(await import("ai6-react")) },
  7: { ...(await import("ai")), ...(await import("@ai-sdk/react")) },
};
/** Longer than what is waited for here takes; who waits longer is told what there is. */
const PATIENCE = 60_000;
const pages = new Map();

function Page({ page }) {
  page.hook = page.sdk.useChat({
    id: page.chat,
    messages: page.initial,
    resume: true,
    transport: page.transport,
    ...(page.tools && {
      sendAutomaticallyWhen: page.sdk.lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall: { toolName, toolCallId } }) =>
        void page.hook.addToolOutput({ tool: toolName, toolCallId, output: "K\u00f6ln" }),
    }),
    onFinish: ({ finishReason, isError, isDisconnect }) => (page.finish = { finishReason, isError, isDisconnect }),
    onError: () => {},
  });
  useEffect(() => page.check());
  const told = (message) =>
    message.parts.map((part, index) =>
      part.type === "text" ? createElement("span", { key: index }, part.text) : null,
    );
  return createElement(
    "main",
    null,
    page.hook.messages.map((message, index) => createElement("p", { key: index, className: message.role }, told(message))),
  );
}

/** What is on the page. */
function state(page) {
  const { messages, status, error } = page.hook;
  const answers = messages.filter((message) => message.role === "assistant");
  return {
    messages: messages.map(({ id, role }) => [role, id]),
    id: answers.at(-1)?.id,
    text: [...page.element.querySelectorAll("p.assistant")].at(-1)?.textContent ?? "",
    texts: answers.at(-1)?.parts.filter((part) => part.type === "text").map((part) => part.state),
    tools: answers.at(-1)?.parts.filter((part) => part.type.startsWith("tool-")).map(({ state, input }) => ({ state, input })),
    steps: answers.at(-1)?.parts.map((part) => part.type).join(" "),
    status,
    error: error?.message,
    raw: messages,
    ...page.finish,
  };
}

const meets = (seen, wanted) => Object.entries(wanted).every(([key, value]) => seen[key] === value);

const commands = {
  /** With `tools` the page runs the tools that are called, and sends their outputs as stock pages do. */
  mount({ page: name, sdk, chat, messages, tools }) {
    const made = sdks[sdk];
    const page = {
      sdk: made,
      chat,
      initial: messages,
      tools,
      transport: new made.DefaultChatTransport({ api: `${base}/api/chat` }),
      element: document.body.appendChild(document.createElement("div")),
      check() {},
    };
    page.root = createRoot(page.element);
    pages.set(name, page);
    return new Promise((resolve) => {
      page.check = () => resolve(state(page));
      page.root.render(createElement(Page, { page }));
    });
  },
  unmount({ page: name }) {
    const page = pages.get(name);
    pages.delete(name);
    page.root.unmount();
    page.element.remove();
  },
  /** Without waiting for the answer. */
  send({ page, message }) {
    void pages.get(page).hook.sendMessage(message);
  },
  regenerate({ page }) {
    void pages.get(page).hook.regenerate();
  },
  /** The page once it shows all that is wanted, or what it shows instead when patience is over. */
  until({ page: name, wanted, patience = PATIENCE }) {
    const page = pages.get(name);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ ...state(page), late: true }), patience);
      page.check = () => {
        const seen = state(page);
        if (!meets(seen, wanted)) return;
        clearTimeout(timer);
        page.check = () => {};
        resolve(seen);
      };
      page.check();
    });
  },
};

await serve(commands);
