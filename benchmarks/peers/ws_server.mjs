// Broadcast as it is usually written with ws: send() to each client. Usage: node ws_server.mjs PORT
import { createServer } from "node:http"
import { WebSocketServer } from "ws"

const server = createServer((request, response) => {
  const parts = []
  request.on("data", (part) => parts.push(part))
  request.on("end", () => {
    for (const line of Buffer.concat(parts).toString().split("\n")) {
      for (const client of sockets.clients) client.send(line)
    }
    response.writeHead(204).end()
  })
})
const sockets = new WebSocketServer({ server })
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 })
