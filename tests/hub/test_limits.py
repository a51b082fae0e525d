"""Limits that nothing could work with are refused when they are made, with a sentence that names them."""

from __future__ import annotations

import math

import msgspec
import pytest

from headwater import Limits
from headwater.errors import BadRequest
from headwater.hub.backpressure import Pause
from headwater.llm.runs.production import SourceLimits
from headwater.server.settings import InvalidSettings, Settings, load_settings

NAMES = sorted(Limits.__struct_fields__)
#: Of one principal and of one address: 0 is that there is none.
MAY_BE_NONE = {
    name
    for name in NAMES
    if name.endswith("_per_principal") or (name.startswith(("principal_", "address_")) and name.endswith("_rate"))
}


def test_the_defaults_are_limits() -> None:
    """And each has a number."""
    given = msgspec.structs.asdict(Limits())
    assert {name for name, value in given.items() if not value} == MAY_BE_NONE


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_limit_is_refused(name: str) -> None:
    """Below nothing, no number, no end: for each of them, in a program and for the server."""
    values = [-1, -(2**70)]
    if name.endswith("_seconds"):
        values += [-0.001, math.nan, math.inf, -math.inf]  # type: ignore[list-item]
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} must be"):
            Limits(**{name: value})
        with pytest.raises(InvalidSettings, match=f"{name} must be"):
            load_settings({name: str(value)}, {})


@pytest.mark.parametrize("name", NAMES)
def test_zero_is_refused_where_it_means_nothing(name: str) -> None:
    """Where it means `at once`, or `no limit`, it is taken."""
    at_once = {"flush_seconds", "slow_seconds", "drain_seconds", "linger_bytes", "linger_seconds", "presence_grace"}
    if name in at_once | MAY_BE_NONE:
        assert getattr(Limits(**{name: 0}), name) == 0
    else:
        with pytest.raises(ValueError, match=f"^{name} must be greater than 0"):
            Limits(**{name: 0})


@pytest.mark.parametrize("name", ["buffer_bytes", "read_bytes"])
def test_all_readers_may_hold_what_one_is_given(name: str) -> None:
    """A budget below one piece would let every reader go for what it was just given."""
    sizes = {"buffer_bytes": 10, "read_bytes": 10, name: 1000}
    with pytest.raises(ValueError, match=f"max_buffered_bytes=999 must be at least {name}=1000"):
        Limits(max_buffered_bytes=999, **sizes)
    Limits(max_buffered_bytes=1000, **sizes)
    with pytest.raises(InvalidSettings, match="max_buffered_bytes=1000 must be at least"):
        load_settings({"max_buffered_bytes": "1000"}, {})


def test_settings_of_the_server_are_numbers_too() -> None:
    """Those that are no limits of a hub."""
    for name in ("head_seconds", "max_connections", "shutdown_seconds"):
        for value in ("0", "-1"):
            with pytest.raises(InvalidSettings, match=f"{name} must be greater than 0"):
                load_settings({name: value}, {})
    with pytest.raises(InvalidSettings, match="head_seconds must be a finite number"):
        load_settings({"head_seconds": "nan"}, {})
    assert isinstance(load_settings({"drain_seconds": "0"}, {}), Settings)


@pytest.mark.parametrize("name", SourceLimits.__struct_fields__)
def test_a_source_has_a_time_or_none(name: str) -> None:
    """Zero would end every run at its start."""
    for value in (0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            SourceLimits(**{name: value})


def test_a_pause_is_for_readers_that_exist() -> None:
    """A word that is none would be taken for a name's part."""
    with pytest.raises(BadRequest, match="readers must be"):
        Pause(readers="fastest")  # type: ignore[arg-type]
    for seconds in (-1.0, math.nan, math.inf):
        with pytest.raises(BadRequest, match="seconds must be"):
            Pause(seconds=seconds)
