"""What `append` sends: arguments, files and lines, as records.

Rule: in a JSON stream a record is one JSON value, checked here, so that a mistake is told with its place, and so it is
for MessagePack that is made of JSON. In all other streams a record is bytes, and a line keeps its end: what goes in
line by line comes out as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, Protocol

import click
import msgspec

from headwater.protocol.framing import is_json, is_msgpack
from headwater.protocol.msgpack import from_json
from headwater.surrogates import mended

#: Bytes read from stdin at a time, at most: what a pipe holds on Linux. What has come meanwhile is one batch.
CHUNK: Final = 64 * 1024
#: Bytes of a line; the server's default limit of a body.
MAX_LINE: Final = 16 * 1024 * 1024


class Readable(Protocol):
    """A binary file that gives what it has."""

    def read1(self, size: int = ..., /) -> bytes:
        """At least one byte, if there is one at all; waits only for the first."""
        ...


class Shaper:
    """Makes records of text.

    Args:
        content_type: the stream's.
        as_string: in a JSON stream, take text as a JSON string.
        as_msgpack: take text as JSON, and make MessagePack of it.
    """

    def __init__(self, content_type: str, *, as_string: bool, as_msgpack: bool = False) -> None:
        if as_msgpack and not is_msgpack(content_type):
            raise click.UsageError(f"--msgpack is for streams of MessagePack; this one is {content_type}.")
        self.json: Final = is_json(content_type) or as_msgpack
        self._as_msgpack = as_msgpack
        self._as_string = as_string
        if as_string and not self.json:
            raise click.UsageError(f"--string is for JSON streams; this one is {content_type}.")

    def shape(self, text: bytes, where: str) -> bytes:
        """A record.

        Args:
            text: an argument, a file, or a line.
            where: its place, for errors.

        Raises:
            UsageError: it is no JSON value; or it is empty, which no record can be.
        """
        if not self.json:
            if not text:
                raise click.UsageError(f"{where} is empty; a record has at least one byte.")
            return text
        try:
            decoded = text.decode()
            if self._as_string:
                text = msgspec.json.encode(decoded)
            else:
                msgspec.json.decode(mended(text), type=msgspec.Raw)
        except UnicodeDecodeError:
            raise click.UsageError(f"{where} is not UTF-8, which JSON is.") from None
        except msgspec.DecodeError:
            shown = decoded if len(decoded) <= 40 else decoded[:40] + "..."
            raise click.UsageError(
                f"{where} is not JSON: {shown!r}. To send it as a JSON string, add --string."
            ) from None
        return self._packed(text, where) if self._as_msgpack else text.strip()

    def _packed(self, text: bytes, where: str) -> bytes:
        try:
            return from_json(text)
        except ValueError as error:
            raise click.UsageError(f"{where} cannot be written as MessagePack: {error}.") from None


def from_arguments(arguments: Iterable[str], shaper: Shaper) -> Iterator[list[bytes]]:
    """All arguments as one batch, each one record."""
    yield [shaper.shape(os.fsencode(text), f"argument {number}") for number, text in enumerate(arguments, 1)]


def from_whole(name: str, file: BinaryIO, shaper: Shaper) -> Iterator[list[bytes]]:
    """A whole file as one record."""
    yield [shaper.shape(file.read(), name)]


def from_lines(name: str, file: Readable, shaper: Shaper) -> Iterator[list[bytes]]:
    """Batches of lines, each one record, as soon as they are there; blank lines are no JSON values and are left out.

    Lines before a bad one are given out first.
    """
    number = 0
    for lines in _split(name, file):
        batch: list[bytes] = []
        for line in lines:
            number += 1
            text = line.rstrip(b"\r\n") if shaper.json else line
            if shaper.json and not text.strip():
                continue
            try:
                batch.append(shaper.shape(text, f"line {number} of {name}"))
            except click.UsageError:
                yield batch
                raise
        yield batch


def _split(name: str, file: Readable) -> Iterator[list[bytes]]:
    held: list[bytes] = []
    size = 0
    while chunk := file.read1(CHUNK):
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*held, lines[0]])
            held, size = [], 0
            yield [line + b"\n" for line in lines]
        if rest:
            held.append(rest)
            size += len(rest)
        if size > MAX_LINE:
            raise click.UsageError(f"a line of {name} is longer than {MAX_LINE} bytes; --whole sends it as one record.")
    if held:
        yield [b"".join(held)]
