"""Telling readers that their access is about to end: `stream-expiring`, `{"control":"expiring"}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from headwater.hub.live.group import FanoutGroup, Member
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ephemeral import Ephemeral

#: The kind of the notice.
KIND: Final = "expiring"


def notice(form: WireFormat, at: float) -> bytes:
    """The notice in a format; empty: it has no words for it.

    Args:
        form: of the reader.
        at: when the access is over, in seconds since the Unix epoch.
    """
    return form.says(Ephemeral(KIND, b'{"at":%d}' % at))


def tell(form: WireFormat, group: FanoutGroup | None, member: Member, own: Callable[[bytes], bytes], at: float) -> None:
    """Tell one reader.

    Args:
        form: of the reader.
        group: whose member it is; None: it catches up.
        member: the reader.
        own: its own content coding.
        at: when its access is over.
    """
    data = notice(form, at)
    if not data:
        return
    if group is not None:
        group.give_some([member], data)
    else:
        member.give(form.frame(own(data)))
