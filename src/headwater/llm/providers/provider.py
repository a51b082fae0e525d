"""A provider: how it is read, how it is told, how it refuses, and where it is asked; each only if it has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from headwater.errors import HeadwaterError
from headwater.llm.parts import Error
from headwater.llm.providers.dialect import Dialect
from headwater.llm.providers.source import Voice

JSON: bytes = b"application/json"
PLAIN_TEXT: bytes = b"text/plain; charset=utf-8"


class Refusal(msgspec.Struct, frozen=True):
    """The body of a response that refuses a request.

    Attributes:
        media_type: of the body.
        body: what the provider's SDK reads.
    """

    media_type: bytes
    body: bytes

    @classmethod
    def of(cls, value: Any) -> Refusal:
        """One of JSON."""
        return cls(JSON, msgspec.json.encode(value))


class Endpoint(msgspec.Struct, frozen=True):
    """Where a provider is asked for a response, below its base URL or in front of it.

    Attributes:
        path: the end of the path that it is asked at.
        dialect: of what it says.
        streams: whether a request wants a stream; given the path, the query and the body.
    """

    path: re.Pattern[str]
    dialect: str
    streams: Callable[[str, str, dict[str, Any]], bool]


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of `providers`.

    Attributes:
        source: how its items are read.
        dialects: how a run is told in its words.
        refuse: an error of ours in its words, for the dialects.
        raised: what it said, in an exception of its SDK; None: the exception is not one that tells it.
        endpoints: where the proxy knows its streams.
    """

    source: type[Voice] | None = None
    dialects: tuple[type[Dialect], ...] = ()
    refuse: Callable[[HeadwaterError], Refusal] | None = None
    raised: Callable[[Exception], Error | None] | None = None
    endpoints: tuple[Endpoint, ...] = ()


def asks_for_stream(path: str, query: str, body: dict[str, Any]) -> bool:
    """As OpenAI's APIs and those like them say it."""
    return body.get("stream") is True
