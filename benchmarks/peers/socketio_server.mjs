// Broadcast as it is usually written with Socket.IO: emit() to all. Usage: node socketio_server.mjs PORT
import { createServer } from "node:http"
import { Server } from "socket.io"

const server = createServer((request, response) => {
  const parts = []
  request.on("data", (part) => parts.push(part))
  request.on("end", () => {
    for (const line of Buffer.concat(parts).toString().split("\n")) io.emit("record", JSON.parse(line))
    response.writeHead(204).end()
  })
})
const io = new Server(server, { transports: ["websocket"], serveClient: false })
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 })
