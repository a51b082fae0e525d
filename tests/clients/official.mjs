// The published client of the protocol, from npm, reads a stream up to its tail: node official.mjs URL KIND; with OFFICIAL_TOKEN it shows it.
import { createHash } from "node:crypto";
import { stream } from "@durable-streams/client";

const [url, kind] = process.argv.slice(2);
const token = process.env.OFFICIAL_TOKEN;
const headers = token ? { authorization: `Bearer ${token}` } : {};
const answer = await stream({ url, headers, live: false, backoffOptions: { maxRetries: 0 } });
const found = kind === "json" ? JSON.stringify(await answer.json()) : await answer.body();
const hash = createHash("sha256").update(found).digest("hex");
console.log(JSON.stringify({ hash, offset: answer.offset, up_to_date: answer.upToDate }));
