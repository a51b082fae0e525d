"""Server URLs, and answers that are no Headwater's."""

from __future__ import annotations

import pytest

from headwater.cli.address import Address, parse_address
from headwater.cli.failures import ExitCode, refusal


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://host", Address("http://host", "/v1/stream/", "/-/")),
        ("http://host/", Address("http://host", "/v1/stream/", "/-/")),
        ("host:4437", Address("http://host:4437", "/v1/stream/", "/-/")),
        ("http://host/v1/stream/", Address("http://host", "/v1/stream/", "/-/")),
        ("https://host/streams", Address("https://host", "/streams/", "/streams/-/")),
        ("https://host/a/streams/", Address("https://host", "/a/streams/", "/a/streams/-/")),
        ("https://host/a/v1/stream/", Address("https://host", "/a/v1/stream/", "/a/-/")),
        ("http://[::1]:80/", Address("http://[::1]:80", "/v1/stream/", "/-/")),
    ],
)
def test_a_url_says_where_streams_and_introspection_are(url: str, address: Address) -> None:
    """Without a path the default prefix; with one, that path, and introspection under it."""
    assert parse_address(url) == address


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"error": 1}', b"\xff"])
def test_an_answer_without_a_problem_is_told_by_its_status(body: bytes) -> None:
    """What a proxy answers becomes one line too."""
    failure = refusal(502, body)
    told = "the server answered 502 Bad Gateway"
    if body:
        told += ", and not as a server of streams does; is the URL right?"
    assert (failure.code, failure.detail) == ("http-502", told)
    assert refusal(404, body).exit_code == refusal(410, body).exit_code == ExitCode.NOT_FOUND
    assert refusal(599, body).detail.startswith("the server answered 599")


def test_what_a_server_says_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of a problem are replaced."""
    refusal(400, b'{"code": "c", "detail": "\\u001b[2J\\nx"}').show()
    assert capsys.readouterr().err.startswith("c: \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}x\n")
