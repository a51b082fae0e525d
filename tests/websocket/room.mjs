// A conversation on `-/connect`, and a stream at its own URL, by Node's own WebSocket or by the package `ws`.
import dns from "node:dns"
import { createRequire } from "node:module"

const [root, library, waits] = process.argv.slice(2)
// A name that only the test knows is this machine.
if (process.env.NAME) {
  const { lookup } = dns
  dns.lookup = (name, options, done) => lookup(name === process.env.NAME ? "127.0.0.1" : name, options, done)
}
// Packages are those of tests/clients.
const packages = createRequire(new URL("../clients/package.json", import.meta.url))
const WebSocket = library === "ws" ? packages("ws") : globalThis.WebSocket

function open(path, protocols) {
  const socket = new WebSocket(root.replace("http", "ws") + path, protocols)
  const waiting = [], come = []
  socket.onmessage = ({ data }) => (waiting.length ? waiting.shift()(data) : come.push(data))
  const closed = new Promise((resolve) => { socket.onclose = ({ code, reason }) => resolve({ code, reason }) })
  const next = () => (come.length ? Promise.resolve(come.shift()) : new Promise((resolve) => waiting.push(resolve)))
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve({ socket, next, closed })
    socket.onerror = () => reject(new Error("no WebSocket"))
  })
}

const many = await open("-/connect", ["headwater.v1+json"])
const say = (message) => many.socket.send(JSON.stringify(message))
const until = async (t) => {
  for (;;) {
    const message = JSON.parse(await many.next())
    if (message.t === t) return message
  }
}
say({ t: "hello", name: "node" })
say({ t: "create", id: 1, path: "node", type: "application/json" })
say({ t: "sub", id: 2, path: "node" })
say({ t: "append", id: 3, path: "node", r: [{ text: "ä" }, { text: "b" }] })
const data = await until("data")
console.log(JSON.stringify(data.r), many.socket.protocol)

const one = await open("node?raw=1")
console.log(await one.next(), await one.next())
one.socket.send('{"text": "c"}')
console.log((await until("data")).r[0].text, JSON.parse(await one.next()).text)
say({ t: "close", id: 4, path: "node" })
console.log((await until("end")).why, JSON.stringify(await one.closed))
many.socket.close(1000)
console.log((await many.closed).code)

// A server that does not wait for the client's close frame is gone before Node has told of what came.
if (waits) {
  const none = await open("nothing")
  await none.next()
  console.log(JSON.stringify(await none.closed))
}
