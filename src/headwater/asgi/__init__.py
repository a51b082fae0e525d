"""The edge: ASGI requests to the hub and back. Depends on no framework and no server.

app         routes, errors, lifespan           streams     one handler per command
bodies      request bodies within limits       live        event streams and NDJSON
handover    uvicorn's connections to the hub   sink        other servers' `send` as a sink
flow        what hypercorn's `send` holds      introspect  what is under /-/
page        the page at /                      shutdown    noticing that the server stops
hub         `Hub`: the engine with HTTP on it  compressing finished bodies
"""

from headwater.asgi.app import App
from headwater.asgi.hub import Hub

__all__ = ["App", "Hub"]
