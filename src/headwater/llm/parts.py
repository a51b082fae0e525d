"""The vocabulary in which a run is stored: one JSON record a part, tagged by `type`.

Rule 1: a run's log is a sequence of these, whatever the source was; every dialect is made of them and of nothing else.
Rule 2: readers of old logs and writers of new ones meet: fields may be added, with a default; none changes meaning.
        What this release does not know is a `Foreign` part, never an error.
Rule 3: a part of content (text, reasoning, a tool's input) is opened, grows, and is closed; `id` tells the open ones
        apart. An id may be used again once it is closed.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from enum import StrEnum
from typing import Any, Final

import msgspec

from headwater.surrogates import mended

Json = dict[str, Any]


class FinishReason(StrEnum):
    """Why a model stopped by itself; each dialect has its own word for it."""

    STOP = "stop"  # it was done
    LENGTH = "length"  # the limit of tokens
    TOOL_CALLS = "tool-calls"  # it waits for tools
    CONTENT_FILTER = "content-filter"  # it, or a filter, refused
    ERROR = "error"  # it failed
    INTERRUPTED = "interrupted"  # somebody stopped it
    OTHER = "other"  # anything else; `Finish.native` has the provider's word

    @classmethod
    def _missing_(cls, value: object) -> FinishReason:
        """A reason of a later release."""
        return cls.OTHER


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", gc=False):
    """What all parts share."""


class Start(_Part, frozen=True, gc=False, tag="start"):
    """The answer begins. A second one fills what the first left empty, and changes nothing else.

    Attributes:
        id: the message's id, the same for every reader.
        run: the run's id.
        model: the model's name.
        created: seconds since the Unix epoch.
        thread: the conversation's id.
        metadata: of the application; dialects that have a place for it send it.
        process: the name of the process that produces the run, by which its lease is found.
        earlier: parts of the message as it was before, in the client's own words, if the run goes on with one. The
            client that asked has them; other readers are told them by dialects that have a place for them.
    """

    id: str = ""
    run: str = ""
    model: str = ""
    created: int = 0
    thread: str = ""
    metadata: Json | None = None
    process: str = ""
    earlier: list[Json] | None = None


class Metadata(_Part, frozen=True, gc=False, tag="metadata"):
    """Values to merge into the message's metadata, deeply."""

    values: Json


class TextStart(_Part, frozen=True, gc=False, tag="text-start"):
    """A text begins; `refusal`: it is the model's refusal.

    `metadata`, as in all parts below, is `{provider: {...}}`; in logs of 0.1 it may be a citation without the name.
    """

    id: str
    refusal: bool = False
    metadata: Json | None = None


class Text(_Part, frozen=True, gc=False, tag="text"):
    """A text grows by `delta`."""

    id: str
    delta: str


class TextEnd(_Part, frozen=True, gc=False, tag="text-end"):
    """A text is complete."""

    id: str
    metadata: Json | None = None


class ReasoningStart(_Part, frozen=True, gc=False, tag="reasoning-start"):
    """The model begins to think.

    Attributes:
        id: of the part.
        summary: the text is a summary of the thinking, not the thinking.
        redacted: opaque data in place of a text (Anthropic `redacted_thinking`).
    """

    id: str
    summary: bool = False
    redacted: str | None = None
    metadata: Json | None = None


class Reasoning(_Part, frozen=True, gc=False, tag="reasoning"):
    """The thinking grows by `delta`."""

    id: str
    delta: str


class ReasoningEnd(_Part, frozen=True, gc=False, tag="reasoning-end"):
    """The thinking is complete.

    Attributes:
        id: of the part.
        signature: the provider's seal of the text, to be given back in the next turn (Anthropic).
        encrypted: the thinking itself, for the provider only (Responses `encrypted_content`).
    """

    id: str
    signature: str | None = None
    encrypted: str | None = None
    metadata: Json | None = None


class ToolStart(_Part, frozen=True, gc=False, tag="tool-start"):
    """The model begins to call a tool.

    Attributes:
        id: of the call.
        name: the tool's.
        provider_executed: the provider runs the tool itself.
        dynamic: the tool is not known when the program is written (AI SDK).
        text_input: the input is a text, not JSON.
        title: for people.
    """

    id: str
    name: str
    provider_executed: bool = False
    dynamic: bool = False
    text_input: bool = False
    title: str = ""
    metadata: Json | None = None


class ToolInput(_Part, frozen=True, gc=False, tag="tool-input"):
    """The input grows by `delta`, a piece of its text."""

    id: str
    delta: str


class ToolReady(_Part, frozen=True, gc=False, tag="tool-ready"):
    """The input is complete. Without a `tool-start` before it, this one also opens the call."""

    id: str
    name: str
    input: Any = None
    provider_executed: bool = False
    dynamic: bool = False
    title: str = ""
    metadata: Json | None = None


class ToolOutput(_Part, frozen=True, gc=False, tag="tool-output"):
    """The tool gave `output`; a `preliminary` one is replaced by the next."""

    id: str
    output: Any = None
    preliminary: bool = False
    metadata: Json | None = None


class ToolError(_Part, frozen=True, gc=False, tag="tool-error"):
    """The call failed: its input is not usable, or the tool raised.

    Attributes:
        id: of the call.
        message: what went wrong.
        name: the tool's, where the call was not opened before.
        input: what the model wrote, if it is not usable.
        denied: somebody refused the call.
    """

    id: str
    message: str = ""
    name: str = ""
    input: Any = None
    denied: bool = False
    metadata: Json | None = None


class ToolApproval(_Part, frozen=True, gc=False, tag="tool-approval"):
    """A call waits for somebody to allow it; `id` is the question's, to be given back with the answer."""

    id: str
    call: str
    metadata: Json | None = None


class Source(_Part, frozen=True, gc=False, tag="source"):
    """What the answer relies on: a page with a `url`, or a document with a `media_type`.

    From `start` up to `end` the text that is open relies on it, in characters; None: not said.
    """

    id: str
    url: str = ""
    title: str = ""
    media_type: str = ""
    filename: str = ""
    metadata: Json | None = None
    start: int | None = None
    end: int | None = None


class File(_Part, frozen=True, gc=False, tag="file"):
    """A file the model made; `url` may be a data URL. `reasoning`: it belongs to the thinking."""

    url: str
    media_type: str
    reasoning: bool = False
    metadata: Json | None = None


class Data(_Part, frozen=True, gc=False, tag="data"):
    """Data of the application. A later one with the same name and id replaces it; a transient one is not kept."""

    name: str
    data: Any = None
    id: str = ""
    transient: bool = False


class StepStart(_Part, frozen=True, gc=False, tag="step-start"):
    """One request to a model begins, in a run that makes several."""


class StepFinish(_Part, frozen=True, gc=False, tag="step-finish"):
    """The step is over."""


class Usage(_Part, frozen=True, gc=False, tag="usage"):
    """Tokens of the whole answer so far; a later part replaces the figures it has.

    Attributes:
        input_tokens: read, with those from a cache; None: not said.
        output_tokens: written, with those of the thinking.
        details: the provider's other figures, by its names.
        native: `{dialect: {...}}`, the provider's own object, whole.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    details: Json | None = None
    native: Json | None = None


class Error(_Part, frozen=True, gc=False, tag="error"):
    """The source failed; nothing comes after it. `native` is `{dialect: {...}}`, the provider's own object."""

    code: str
    message: str = ""
    native: Json | None = None


class Abort(_Part, frozen=True, gc=False, tag="abort"):
    """The source was stopped."""

    reason: str = ""


class Finish(_Part, frozen=True, gc=False, tag="finish"):
    """The model is done; `native` is the word of `dialect` for the reason, `sequence` the stop sequence it came to."""

    reason: FinishReason = FinishReason.STOP
    native: str = ""
    dialect: str = ""
    sequence: str = ""
    metadata: Json | None = None


class Raw(_Part, frozen=True, gc=False, tag="raw"):
    """Bytes of a provider's event stream, exactly as they came.

    Attributes:
        dialect: whose they are.
        text: the bytes, if they are UTF-8.
        base64: the bytes, if they are not.
    """

    dialect: str
    text: str = ""
    base64: str = ""

    @classmethod
    def of(cls, dialect: str, data: bytes) -> Raw:
        """The part for these bytes."""
        try:
            return cls(dialect, data.decode())
        except UnicodeDecodeError:
            return cls(dialect, base64=b64encode(data).decode())

    @property
    def data(self) -> bytes:
        """The bytes."""
        return b64decode(self.base64) if self.base64 else self.text.encode()


class Foreign(_Part, frozen=True, gc=False, tag="foreign"):
    """An event of a source that the vocabulary has no part for, as JSON; only its own dialect may have a use for it.

    `content`: it is a piece of the answer that no other part holds, so that readers of other dialects miss it.
    """

    dialect: str
    event: Any = None
    content: bool = False


Part = (
    Start
    | Metadata
    | TextStart
    | Text
    | TextEnd
    | ReasoningStart
    | Reasoning
    | ReasoningEnd
    | ToolStart
    | ToolInput
    | ToolReady
    | ToolOutput
    | ToolError
    | ToolApproval
    | Source
    | File
    | Data
    | StepStart
    | StepFinish
    | Usage
    | Error
    | Abort
    | Finish
    | Raw
    | Foreign
)

#: `Foreign.dialect` of a record that is no part of this release; and the name of our own hints in a part's `metadata`.
OURS: Final = "headwater"

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Part]] = msgspec.json.Decoder(Part)


def encode_part(part: Part) -> bytes:
    """A part as the JSON of its record; half of a surrogate pair is U+FFFD.

    Raises:
        TypeError, ValueError, RecursionError: a value in it has no JSON form.
    """
    try:
        return _encoder.encode(part)
    except UnicodeEncodeError:
        return mended(json.dumps(msgspec.to_builtins(part)).encode())


def decode_part(data: bytes) -> Part:
    """The part of a record; what is no part of this release is a `Foreign` one, so that its readers go on."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return Foreign(OURS, msgspec.json.decode(data))
    except (msgspec.DecodeError, RecursionError):  # JSON with no value here (1e999, deep nesting), or none at all
        return Foreign(OURS, data.decode(errors="replace"))


def part_from(value: Json) -> Part | None:
    """The part that a dict spells; None: it does not fit any."""
    try:
        return msgspec.convert(value, Part)  # type: ignore[no-any-return]
    except ValueError:  # `msgspec.ValidationError`, or half of a surrogate pair
        return None
