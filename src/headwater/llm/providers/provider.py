"""A provider: how it is read, how it is told, how it refuses, and where it is asked; each only if it has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headwater.errors import HeadwaterError
from headwater.llm.parts import Error
from headwater.llm.providers.dialect import Dialect
from headwater.llm.providers.source import Voice

JSON: bytes = b"application/json"
PLAIN_TEXT: bytes = b"text/plain; charset=utf-8"
#: The first status that is the server's fault.
SERVER_ERROR: int = 500


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


def refuse_in_words(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`: the sentence alone, for clients that show the body as it is."""
    return Refusal(PLAIN_TEXT, error.message.encode())


def word_for(error: HeadwaterError, words: Mapping[int, str], theirs: str, ours: str) -> str:
    """A provider's word for an error: of its status, else one for mistakes of clients or one for the server's."""
    return words.get(error.status, theirs if error.status < SERVER_ERROR else ours)


class Endpoint(msgspec.Struct, frozen=True):
    """Where a provider is asked for a response, below its base URL or in front of it.

    Attributes:
        path: the end of the path that it is asked at.
        dialect: of its errors.
        stream_of: the dialect of the stream that a request wants, from its query and body; empty: it wants none.
        examples: where it is asked through the proxy, with a query; one at least for each stream, for documentation and
            tests.
    """

    path: re.Pattern[str]
    dialect: str
    stream_of: Callable[[str, dict[str, Any]], str]
    examples: tuple[str, ...]

    @classmethod
    def of(cls, path: str, dialect: str, *examples: str, default: bool = False) -> Endpoint:
        """One that streams where the body says so, as in OpenAI's API and those like it.

        Args:
            path: a pattern.
            dialect: of all that it says.
            examples: see above.
            default: it streams, too, where the body does not say it.
        """
        return cls(
            re.compile(path),
            dialect,
            lambda query, body: dialect if body.get("stream", default) is True else "",
            examples,
        )


class Items(msgspec.Struct, frozen=True):
    """What the items of a source are, for the documentation.

    Attributes:
        what: they are.
        note: what is to be known of them.
        last: which one says that the answer is complete, so that without it it is truncated; empty: none does.
    """

    what: str
    note: str = ""
    last: str = ""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of `providers`.

    Attributes:
        source: how its items are read.
        items: what they are.
        dialects: how a run is told in its words.
        refuse: an error of ours in its words, for the dialects.
        raised: what it said, in an exception of its SDK; None: the exception is not one that tells it.
        endpoints: where the proxy knows its streams.
    """

    source: type[Voice] | None = None
    items: tuple[Items, ...] = ()
    dialects: tuple[type[Dialect], ...] = ()
    refuse: Callable[[HeadwaterError], Refusal] | None = None
    raised: Callable[[Exception], Error | None] | None = None
    endpoints: tuple[Endpoint, ...] = ()
