"""The driver of the service for ASGI servers. Depends on no framework and no server.

app           the ASGI application: its lifespan, and what it serves
hub           `Hub`: the engine with HTTP on it
exchange      one ASGI request as an exchange
short_response  whole responses over a `send`
push          live responses, and which way they go
send_sink     a `send` as a live reader's sink
websocket     one ASGI WebSocket as an exchange
message_sink  a `send` and a `receive` as a WebSocket
outlet        long bodies, and how they are cut
bodies        request bodies within limits
expectations  who was asked for its body
upgrades      bodies that a server loses behind an upgrade
mounts        the part of a path below a mount
uvicorn       what is known of uvicorn's inside
hypercorn     what is known of hypercorn's inside
starlette     what is known of Starlette's inside
lifespan      what a server is told of a start that failed
types         ASGI's three shapes
"""

from headwater.asgi.app import App
from headwater.asgi.hub import Hub
from headwater.asgi.mounts import route_path

__all__ = ["App", "Hub", "route_path"]
