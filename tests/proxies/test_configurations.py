"""The configurations that the documentation shows are the ones that are tested, and fit the server's defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.proxies.fronts import CONFIGURATIONS, FRONTS

from headwater.server.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "behind-a-proxy.md"
DEFAULTS = Settings()


def number(name: str, pattern: str) -> int:
    """The number in the one place of a configuration that a pattern finds."""
    [found] = re.findall(pattern, (CONFIGURATIONS / name).read_text(), re.MULTILINE)
    return int(found)


def test_every_configuration_is_shown_and_tested() -> None:
    """Whole, as a block of the page; none is without a proxy that runs it."""
    page = PAGE.read_text()
    files = {path.name for path in CONFIGURATIONS.iterdir()}
    assert files == {front.configuration for front in FRONTS.values()}
    for name in files:
        assert f"\n{(CONFIGURATIONS / name).read_text()}```\n" in page, f"copy {name} into {PAGE.name}"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("nginx.conf", r"proxy_read_timeout (\d+)s"),
        ("haproxy.cfg", r"timeout client (\d+)s"),
        ("haproxy.cfg", r"timeout server (\d+)s"),
    ],
)
def test_proxies_wait_longer_than_a_reader_is_silent(name: str, pattern: str) -> None:
    """Above the heartbeat and the long-poll."""
    assert number(name, pattern) > 2 * max(DEFAULTS.heartbeat_seconds, DEFAULTS.long_poll_seconds)


@pytest.mark.parametrize(
    ("name", "pattern"), [("nginx.conf", r"keepalive_timeout (\d+)s"), ("Caddyfile", r"keepalive (\d+)s")]
)
def test_proxies_drop_idle_connections_before_the_server_does(name: str, pattern: str) -> None:
    """Otherwise an append may be sent on one that is being closed."""
    assert number(name, pattern) < DEFAULTS.keep_alive_seconds


def test_nginx_takes_the_bodies_that_the_server_takes() -> None:
    """Its own default is one megabyte."""
    assert number("nginx.conf", r"client_max_body_size (\d+)m") * 1024 * 1024 == DEFAULTS.max_body_bytes
