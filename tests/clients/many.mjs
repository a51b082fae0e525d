// The lines of the docs on npm's EventSource: node many.mjs URL CODE; a line of JSON for each thing that happens.
import { EventSource } from "eventsource";

const [origin, code] = process.argv.slice(2);
const tell = (kind, value) => console.log(JSON.stringify([kind, value]));

class Watched extends EventSource {
  constructor(url) {
    super(new URL(url, origin));
    this.addEventListener("open", () => tell("open", 1));
    this.addEventListener("message", ({ data }) => tell("came", JSON.parse(data).stream));
    this.addEventListener("stream-cursor", ({ lastEventId }) => tell("cursor", lastEventId));
    this.addEventListener("stream-closed", ({ data }) => tell("closed", JSON.parse(data).stream));
  }
}

new Function("EventSource", "show", code)(Watched, ({ stream, data }) => tell("shown", [stream, data]));

// While it waits to come back, this client does not keep Node.js running.
setInterval(() => {}, 60_000);
