"""A provider's stream, byte by byte, as parts: how a proxied run is seen in another dialect.

A voice says how its events come (`Voice.wires`): `sse`, Server-Sent Events with a JSON object each; `lines`, a JSON
object each; or `array`, the elements of one JSON array.

Nothing raises: the bytes are in the log already, and a reader has to be shown something. An event that cannot be
read is an error part, as it is an error in the provider's own SDK.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from headwater.errors import TooLarge
from headwater.llm.parts import Error, Json, Part, Start
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.json_array import JsonArray, element_of
from headwater.llm.providers.recogniser import TRUNCATED
from headwater.llm.providers.registry import VOICES
from headwater.llm.providers.source import error_in
from headwater.protocol.sse import MAX_EVENT_BYTES, Parser, ServerEvent

#: Dialects whose streams can be read, and how their events come.
FORMS: Final = {name: form for voice in VOICES.values() for name, form in voice.wires.items()}
_READERS: Final = {name: voice for voice in VOICES.values() for name in voice.wires}

#: Code of the error for an event that is not what its dialect has.
UNREADABLE: Final = "unreadable-event"


class WireRecogniser:
    """The parts of a proxied run.

    Args:
        dialect: one of `FORMS`.
        start: the start that is in the log already.
    """

    def __init__(self, dialect: str, start: Start | None = None) -> None:
        self._dialect = dialect
        self._parser: Parser | _Lines | _Array = _PARSERS[FORMS[dialect]]()
        self._builder = Builder(start)
        self._voice = _READERS[dialect](self._builder, lenient=True)
        self._is_done = False

    @property
    def is_complete(self) -> bool:
        """The provider has sent its last event; of an array also its last bracket."""
        if isinstance(self._parser, _Array) and not self._parser.is_closed:
            return False
        return self._is_done or self._voice.ended

    @property
    def is_closed(self) -> bool:
        """The stream has ended by its own form, whether the answer is complete or not: an array by its bracket."""
        return isinstance(self._parser, _Array) and self._parser.is_closed

    @property
    def is_over(self) -> bool:
        """Nothing follows, though the connection may stay open."""
        return self._is_done or self.is_closed or (self._voice.ended and self._voice.ends_stream)

    @property
    def failed(self) -> Error | None:
        """The error that the stream ended with; it is among the parts."""
        return self._builder.failed

    def feed(self, data: bytes) -> list[Part]:
        """Take the next bytes and give the parts they complete."""
        try:
            events = self._parser.feed(data)
        except TooLarge as error:
            self._builder.fail(error.code, error.message)
            events = []
        for event in events:
            if self._builder.failed is not None:  # nothing follows an error, wherever the bytes are cut
                break
            self._take(event)
        return self._builder.take()

    def finish(self) -> list[Part]:
        """The stream has ended; see `Recogniser.finish`."""
        if isinstance(self._parser, _Lines):
            for event in self._parser.rest():
                self._take(event)
        self._voice.finish()
        if self._voice.has_terminal and not self.is_complete:
            self._builder.fail(TRUNCATED, f"the provider's stream ended without its last event ({self._dialect})")
        self._builder.put_finish()
        return self._builder.take()

    def _take(self, event: ServerEvent) -> None:
        if self._is_done:  # SDKs read no further
            return
        if event.data.startswith(b"[DONE]"):  # as OpenAI's own SDK has it
            self._is_done = True
            self._builder.put_finish()
            return
        value = _value_of(event.data)
        if isinstance(value, dict):
            try:
                if self._is_later(value):
                    self._voice.keep(value)
                else:
                    self._voice.hear(value)
            except Exception as error:
                self._builder.fail(UNREADABLE, f"an event of the provider cannot be read: {type(error).__name__}")
        elif event.event != b"ping":
            self._builder.fail(UNREADABLE, "an event of the provider is not a JSON object")

    def _is_later(self, value: Json) -> bool:
        """An event that a later version has added."""
        voice = self._voice
        return not voice.knows(value, voice.dialect) and voice.may_add(value) and error_in(value) is None


class _Lines:
    """Cuts bytes into lines; one has at most what an event may have."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[ServerEvent]:
        *lines, self._held = (self._held + data).split(b"\n")
        if len(self._held) > MAX_EVENT_BYTES:
            raise TooLarge(f"a line of the provider has more than {MAX_EVENT_BYTES} bytes")
        return [ServerEvent(line) for line in lines if line.strip()]

    def rest(self) -> list[ServerEvent]:
        held, self._held = self._held, b""
        return [ServerEvent(held)] if held.strip() else []


class _Array:
    """The elements of a JSON array; one has at most what an event may have. Nothing follows the last bracket."""

    def __init__(self) -> None:
        self._array = JsonArray()
        self._has_begun = False

    @property
    def is_closed(self) -> bool:
        return self._array.is_closed

    def feed(self, data: bytes) -> list[ServerEvent]:
        if self.is_closed:
            return []
        if not self._has_begun and (data := data.lstrip()):
            self._has_begun = True
            if not data.startswith(b"["):
                return [ServerEvent(data)]  # which nobody can read
        elements = list(filter(None, map(element_of, self._array.feed(data))))
        if self._array.size > MAX_EVENT_BYTES:
            raise TooLarge(f"an element of the provider's array has more than {MAX_EVENT_BYTES} bytes")
        return [ServerEvent(element) for element in elements]


_PARSERS: Final = {"sse": Parser, "lines": _Lines, "array": _Array}


def _value_of(data: bytes) -> Any:
    """The JSON of an event; None: it is none. Half of a surrogate pair may be escaped, whose other half comes later."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
