"""Tokens that are none, over every way in: closed in the standard headers, with the same words for all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded, send
from tests.http.access.test_tokens import ATTACKS, HEAD, claims, part, signed
from tests.support.access import token
from tests.support.inprocess import rest_of
from tests.support.websocket import Client, greeted

DAY = 86400
#: Each made when it is shown: what is of a clock a minute ahead is good a minute later.
BAD: dict[str, Callable[[int], str]] = {
    "of tomorrow": lambda now: token("u1", iat=now + DAY, exp=now + DAY + 60),
    "of a clock a minute ahead": lambda now: token("u1", iat=now + 60),
    "that a clock a minute behind made": lambda now: token("u1", iat=now - 360, exp=now - 60),
    "not before a minute": lambda now: token("u1", nbf=now + 60),
    "of another issuer": lambda _: token("u1", iss="https://evil.example"),
    "for another audience": lambda _: token("u1", aud="https://other.example"),
    "nested as deep as fits": lambda _: signed(HEAD, b'{"a":' + b"[" * 2900 + b"]" * 2900 + b"}"),
    "of 9 KiB": lambda _: token("u1", pad="x" * 9000),
    "whose subject is a path": lambda _: token("users/u2", streams={"read": ["{sub}/**"]}),
    "none": lambda _: ATTACKS["none"],
}


@pytest.mark.parametrize("made", BAD.values(), ids=BAD)
def test_a_bad_token(run: Run[None], tmp_path: Path, made: Callable[[int], str]) -> None:
    """401 and `invalid_token`, the same for a stream that is there and one that is not, and never the reason."""

    async def main() -> None:
        text = made(int(time.time()))
        async with guarded(tmp_path) as server:
            answers = set()
            for target in ("a", "nowhere"):
                sock = await send(server, "GET", f"{ROOT}{target}", text, "connection: close")
                with sock:
                    told = await rest_of(sock)
                assert told.startswith(b"HTTP/1.1 401"), told
                assert b'\r\nwww-authenticate: Bearer error="invalid_token"\r\n' in told
                answers.add(told.partition(b"\r\n\r\n")[2])
            assert len(answers) == 1
            assert b'"detail":"the token is worthless here"' in answers.pop()
            sock = await server.connect()
            with sock:
                assert await Client(sock).handshake(f"{ROOT}a", f"authorization: Bearer {text}\r\n".encode()) == 401
            async with greeted(server, token=text) as client:
                for path in ("a", "nowhere"):
                    assert (await client.ask("sub", path=path))["code"] == "token-refused"

    run(main())


def test_one_that_is_nested_a_hundred_thousand_times(run: Run[None], tmp_path: Path) -> None:
    """It is larger than a head may be, and larger than a first message; nothing of it is parsed."""
    text = f"{part(HEAD)}.{part(b'[' * 100_000 + b']' * 100_000)}.{part(b'x' * 32)}"

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock = await send(server, "GET", f"{ROOT}a", text, "connection: close")
            with sock:
                assert (await rest_of(sock)).startswith(b"HTTP/1.1 431")
            from tests.support.websocket import connection

            async with connection(server) as client:
                await client.send(t="hello", token=text)
                assert await client.closed() == 1009

    run(main())


def test_a_clock_that_is_a_little_ahead(run: Run[None], tmp_path: Path) -> None:
    """Five seconds are nobody's fault; and what has expired has, to the second."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            for shift, status in ((3, b"200"), (60, b"401")):
                shown = token("u1", iat=int(time.time()) + shift)
                sock = await send(server, "GET", f"{ROOT}a", shown, "connection: close")
                with sock:
                    assert (await rest_of(sock)).split()[1] == status
            assert claims()["exp"] > time.time()

    run(main())
