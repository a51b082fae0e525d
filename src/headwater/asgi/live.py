"""Live answers: a reader's events, written to its connection where the server hands that over, to `send` elsewhere."""

from __future__ import annotations

from msgspec import structs

from headwater.asgi.flow import flow_of
from headwater.asgi.handover import can_take_over, take_over, unwrap
from headwater.asgi.sink import END, AsgiSink
from headwater.asgi.types import Receive, Send
from headwater.hub.audience import Audience
from headwater.hub.feeds import Format
from headwater.hub.readers import LiveReader
from headwater.protocol.responses import HeaderList, streaming


async def answer_live(
    audience: Audience,
    reader: LiveReader,
    form: Format,
    receive: Receive,
    send: Send,
    headers: HeaderList,
    *,
    lifetime: float | None,
) -> None:
    """Send a live answer until the reader ends or the client goes; returns at once, if the server lets us.

    Args:
        audience: whose reader it is.
        reader: just opened, and closed by the caller.
        form: the wire format; its frames are HTTP/1.1 chunks, and are used on a connection that is handed over.
        receive: watched for the client's going.
        send: where it goes.
        headers: further headers for the answer's head.
        lifetime: seconds before the reader is let go; None: no end.
    """
    encoder = form.encoder(reader.info.content_type)
    head = streaming(encoder.media_type, reader.info.content_type)
    inner = unwrap(send)
    if can_take_over(inner):
        # What is handed over is closed at the end; a client that is not told so may send its next request there.
        more = [*headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": head.status, "headers": [*head.headers, *more]})
        audience.push(reader, form, take_over(inner, audience), lifetime=lifetime, encoder=encoder)
        return
    await send({"type": "http.response.start", "status": head.status, "headers": [*head.headers, *headers]})
    sink = AsgiSink(audience, flow_of(inner, audience))
    audience.push(reader, unframed(form), sink, lifetime=lifetime, encoder=encoder)
    await sink.run(receive, send)


def unframed(form: Format) -> Format:
    """A format for a server that frames the body itself."""
    return structs.replace(form, key=("asgi", *form.key), frame=_as_it_is, last=END)


def _as_it_is(data: bytes) -> bytes:
    return data
