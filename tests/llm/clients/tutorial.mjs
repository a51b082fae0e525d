/** As the tutorials have it: `fetch`, a reader, lines of `data:`, and `[DONE]`. */
export async function read(url, options, onText = () => {}) {
  const seen = { text: "" };
  const response = await fetch(url, options);
  seen.status = response.status;
  if (response.status === 204) return seen;
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
      if (line.startsWith(":")) seen.comments = (seen.comments ?? 0) + 1;
      if (!line.startsWith("data: ")) continue;
      const data = line.slice(6);
      if (data === "[DONE]") {
        seen.done = true;
        continue;
      }
      const { content, error, code } = JSON.parse(data);
      if (error) Object.assign(seen, { error, code });
      else seen.text += content ?? "";
      onText(seen);
    }
  }
}
