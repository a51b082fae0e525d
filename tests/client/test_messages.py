"""What the messages of a connection tell the client's reader."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.client.connection.door import Piece
from headwater.client.connection.session import Told
from headwater.client.connection.way import MessagesWay
from headwater.client.items import Gap
from headwater.protocol.websocket import messages as m


@pytest.mark.parametrize("offset", ["a", "b"])
def test_behind_a_gap_it_stands_where_the_server_goes_on(offset: str) -> None:
    """With `conflate` what is kept comes next, so that is where the gap begins."""
    way: MessagesWay[Any] = MessagesWay(lambda kind: pytest.fail(f"{kind} is not asked for"), None)
    told = way.feed(Piece(Told(1, m.Gap(5, "a", "b", offset, "slow"))))
    assert told == [Gap("a", "b", offset, "slow")]
