// Commands as lines of JSON on stdin, each answered by a line on stdout; one after the other.
import { createInterface } from "node:readline";

/** Some clients let the error of a connection that is cut escape a second time, beside the one they report. */
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});
console.log = console.warn = console.error = () => {};

/** Answer each command by the function that its `do` names; at the end of stdin, exit. */
export async function serve(functions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    const answer = await Promise.resolve()
      .then(() => functions[command.do](command))
      .catch((error) => ({ crash: String(error?.stack ?? error) }));
    process.stdout.write(JSON.stringify(answer ?? null) + "\n");
  }
  process.exit(0); // connections are kept alive
}
