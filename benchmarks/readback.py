"""What a server has stored, read over HTTP, held against what it acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection

import msgspec

from benchmarks.load import MEDIA_TYPES, Format, Run, Shape
from benchmarks.servers import Server


class Record(msgspec.Struct):
    """A record of the generator: who sent it, and which of its records it is."""

    connection: int
    number: str


_decode = msgspec.json.Decoder(list[Record]).decode


def create_streams(server: Server, shape: Shape) -> None:
    """Create the streams of a run."""
    client = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for stream in shape.streams:
        client.request("PUT", stream, headers={"content-type": MEDIA_TYPES[shape.format]})
        response = client.getresponse()
        response.read()
        if response.status != 201:
            raise RuntimeError(f"{server.kind.name}: PUT was answered {response.status}")
    client.close()


def check_stored(server: Server, shape: Shape, run: Run) -> None:
    """Make sure that the streams hold each acknowledged record once, in order, and nothing else.

    Raises:
        RuntimeError: they do not.
    """
    found: list[list[int]] = [[] for _ in run.acknowledged]
    client = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for stream in shape.streams:
        for connection, number in _records(b"".join(_pages(client, stream)), shape.format):
            found[connection].append(number)
    client.close()
    for connection, (numbers, count) in enumerate(zip(found, run.acknowledged, strict=True)):
        if numbers != list(range(count)):
            raise RuntimeError(
                f"{server.kind.name}: connection {connection} had {count} records acknowledged, "
                f"{len(numbers)} are stored, {len(set(numbers))} of them different"
            )


def _pages(client: HTTPConnection, stream: str) -> Iterator[bytes]:
    """The bodies of the answers from the start of a stream to its end."""
    offset = "-1"
    while True:
        client.request("GET", f"{stream}?offset={offset}", headers={"accept-encoding": "identity"})
        response = client.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {stream} was answered {response.status}: {body[:200]!r}")
        yield body
        if response.headers.get("stream-up-to-date") == "true":
            return
        offset = response.headers["stream-next-offset"]


def _records(data: bytes, format: Format) -> Iterator[tuple[int, int]]:
    if format == "text":
        for line in data.splitlines():
            connection, number, _ = line.split(b" ", 2)
            yield int(connection), int(number)
        return
    for record in _decode(data.replace(b"][", b",")):  # one array a page
        yield record.connection, int(record.number)
