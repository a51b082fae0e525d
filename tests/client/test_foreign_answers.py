"""What servers of others answer, as the protocol allows it, and Headwater does not."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.client.answers import Head
from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer
from headwater.client.items import Batch
from headwater.client.requests import check_written
from headwater.client.told import UpToDate
from headwater.client.wires.control_events import ControlEvents

CONTROL = b'event: control\ndata:{"streamNextOffset":"09","upToDate":true}\n\n'


def test_one_control_event_for_several_data_events() -> None:
    """The reference server sends an event for each append, and one control event behind them."""
    wire: ControlEvents[Any] = ControlEvents(Codec("application/json"), "00", base64=False)
    told = wire.feed(b'event: data\ndata:[1]\n\nevent: data\ndata:["two", {"n": 3}]\n\n' + CONTROL)
    [batch, tail] = told
    assert isinstance(batch, Batch)
    assert [(item.data, item.offset) for item in batch.items] == [(1, "00"), ("two", "00"), ({"n": 3}, "09")]
    assert (batch.offset, tail) == ("09", UpToDate("09"))
    text: ControlEvents[Any] = ControlEvents(Codec("text/plain"), "00", base64=False)
    [batch, _] = text.feed(b"event: data\ndata:one \n\nevent: data\ndata:two\n\n" + CONTROL)
    assert isinstance(batch, Batch)
    assert [item.data for item in batch.items] == ["one two"]


def test_one_of_several_that_is_no_json_is_a_bad_answer() -> None:
    wire: ControlEvents[Any] = ControlEvents(Codec("application/json"), "00", base64=False)
    with pytest.raises(BadAnswer):
        wire.feed(b"event: data\ndata:[1]\n\nevent: data\ndata:[2\n\n" + CONTROL)


def test_a_duplicate_may_be_told_without_the_tail() -> None:
    """By the numbers of its producer (section 5.2.1); a login page tells neither."""
    assert check_written(Head(204, {"producer-epoch": "0", "producer-seq": "3"}), b"").status == 204
    with pytest.raises(BadAnswer):
        check_written(Head(200, {"content-type": "text/html"}), b"<html>")
