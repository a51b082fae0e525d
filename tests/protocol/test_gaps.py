"""A gap in each wire format: told with both offsets, and nothing of what was held back before it comes after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import Packs

from headwater.model import Batch, Mode, Policy, Record, SlowPolicy
from headwater.protocol.cursor import Data, Gap
from headwater.protocol.names import EVENT_GAP
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.offsets import format_offset
from headwater.protocol.requests import Read, parse_request
from headwater.protocol.sse import Parser
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.stream_messages import StreamMessages

if TYPE_CHECKING:
    from headwater.protocol.wire import Encoder

START, END = format_offset(1, 10), format_offset(1, 99)


def test_ndjson() -> None:
    """A control line."""
    [line] = JsonLines("application/json").encode(Gap(START, END, END), 0.0).splitlines()
    assert json.loads(line) == {"control": "gap", "offset": END, "from": START, "to": END}


def test_plain_events() -> None:
    """A named event whose id is where the reader goes on."""
    [event] = Parser().feed(PlainEvents("application/json").encode(Gap(START, END, END), 0.0))
    assert (event.event, event.id) == (EVENT_GAP, END.encode())
    assert json.loads(event.data) == {"from": START, "to": END}


def test_control_events() -> None:
    """A control event with one more field; the others are as always."""
    [event] = Parser().feed(ControlEvents("application/json", None, 1).encode(Gap(START, END, END), 2e9))
    told = json.loads(event.data)
    assert told.pop("streamCursor").isdigit()
    assert told == {"streamNextOffset": END, "streamGap": {"from": START, "to": END}}


@pytest.mark.parametrize(
    "encoder",
    [JsonLines("text/plain"), PlainEvents("text/plain"), ControlEvents("text/plain", None, 1)],
    ids=["ndjson", "plain", "control"],
)
def test_half_a_character_before_a_gap_lies_in_the_gap(encoder: Encoder) -> None:
    """The gap begins before the held bytes, and the text after it is not glued to them."""
    cut = Batch(START, (Record(format_offset(1, 12), b"a\xe2"),), format_offset(1, 12), False, False, "text/plain")
    encoder.encode(Data(cut), 0.0)
    assert format_offset(1, 11).encode() in encoder.encode(Gap(format_offset(1, 12), END, END), 0.0)
    rest = Batch(END, (Record(format_offset(1, 101), b"ok"),), format_offset(1, 101), True, False, "text/plain")
    text = encoder.encode(Data(rest), 0.0)
    assert b"ok" in text
    assert "\ufffd" not in text.decode()


@pytest.mark.parametrize("offset", [START, END])
def test_a_gap_says_where_to_come_back(offset: str) -> None:
    """At its end if all of it is left out, at its start if what is kept comes next; in each format's own place."""
    gap = Gap(START, END, offset)
    assert json.loads(JsonLines("application/json").encode(gap, 0.0))["offset"] == offset
    [event] = Parser().feed(PlainEvents("application/json").encode(gap, 0.0))
    assert event.id == offset.encode()
    [control] = Parser().feed(ControlEvents("application/json", None, 1).encode(gap, 2e9))
    assert json.loads(control.data)["streamNextOffset"] == offset


@pytest.mark.parametrize("packs", SUBPROTOCOLS, ids=lambda packs: packs.name)
@pytest.mark.parametrize("offset", [START, END])
def test_messages_say_where_to_come_back(packs: Packs, offset: str) -> None:
    """The same in the messages of a WebSocket."""
    encoder = StreamMessages("application/json", codec=CODECS[packs.name], number=5)
    [(_, message)] = frames.split(encoder.encode(Gap(START, END, offset, "slow"), 0.0))
    told = packs.unpack(message)
    assert (told["s"], told["from"], told["to"], told["o"]) == (5, START, END, offset)


def test_a_read_asks_for_its_policy() -> None:
    """The query parameter reaches the command."""
    command = parse_request("GET", "s", b"slow=conflate%3Ak", {b"accept": b"application/x-ndjson"})
    assert isinstance(command, Read)
    assert (command.mode, command.slow) == (Mode.NDJSON, SlowPolicy(Policy.CONFLATE, "k"))
