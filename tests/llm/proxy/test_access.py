"""Who may use the proxy: what pages of others cannot spend, and what of keys and cookies goes where."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from tests.llm.proxy.provider import DONE, chunk
from tests.llm.proxy.test_proxy import setting

from headwater.errors import BadRequest
from headwater.llm.proxy.access import Access
from headwater.llm.proxy.upstream import Upstream

if TYPE_CHECKING:
    from tests.conftest import Run

URL = "/v1/chat/completions"
ASK = b'{"model": "m", "stream": true, "messages": []}'
EVIL = "https://evil.example"
PAGE = "http://localhost:3000"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json"


def strict(*keys: str) -> Access:
    """As `headwater llm proxy` has it, under the name of the tests' client."""
    return Access(keys, allowed_hosts=("test",))


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PATHS = [URL, "/v1/models", "/v1/runs/r1", "/v1/runs/r1/stop", "/", "/-/health"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL, "content-type": "text/plain"},
        {"origin": EVIL, "content-type": "text/plain", "headwater-run": "r1"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_foreign_page_gets_nothing(run: Run[None], headers: dict[str, str]) -> None:
    """By no method and at no path, and the provider is not asked."""

    async def main() -> None:
        async with setting("sk-secret", access=strict()) as at:
            for method, path in itertools.product(METHODS, PATHS):
                answer, body = await at.client.request(method, path, ASK, headers)
                assert answer.status == 403
                assert method == "HEAD" or json.loads(body)["error"]["code"] == "origin-not-allowed"
                assert not any(name.startswith("access-control-allow") for name in answer.headers)
            assert at.provider.asked == []

    run(main())


@pytest.mark.parametrize("path", [URL, "/v1/models", "/v1/runs/r1", "/"])
def test_a_foreign_name_gets_nothing(run: Run[None], path: str) -> None:
    """A page under a name that is made to resolve to this machine is of the proxy's own origin, and has this name."""

    async def main() -> None:
        async with setting("sk-secret", access=Access(allowed_hosts=("loopback",))) as at:
            answer, body = await at.client.request("POST", path, ASK)  # the client says `Host: test`
            assert (answer.status, json.loads(body)["error"]["code"]) == (403, "host-not-allowed")
            assert at.provider.asked == []

    run(main())


@pytest.mark.parametrize("name", ["host", "origin", "authorization", "x-api-key", "headwater-run"])
def test_a_header_that_decides_is_there_once(run: Run[None], name: str) -> None:
    """Of two lines another program could take the other one."""

    async def main() -> None:
        async with setting("sk-secret") as at:
            double = [(name.encode(), b"a"), (name.encode(), b"b")]
            with pytest.MonkeyPatch.context() as patch:
                scope = at.client._scope("POST", URL, {})
                scope["headers"] = [pair for pair in scope["headers"] if pair[0].decode() != name] + double
                patch.setattr(at.client, "_scope", lambda *_: scope)
                answer, body = await at.client.request("POST", URL, ASK)
            assert (answer.status, json.loads(body)["error"]["code"]) == (400, "bad-request")
            assert at.provider.asked == []

    run(main())


def test_preflights_are_answered_here(run: Run[None]) -> None:
    """For pages that are allowed: their methods and headers. What the provider says of pages counts for nothing."""

    async def main() -> None:
        async with setting("sk-secret", access=strict()) as at:
            asked = {
                "origin": PAGE,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,headwater-run,x-stainless-os",
            }
            answer, body = await at.client.request("OPTIONS", URL, b"", asked)
            assert (answer.status, body) == (204, b"")
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert answer.headers["access-control-allow-headers"] == "authorization,headwater-run,x-stainless-os"
            assert "PATCH" in answer.headers["access-control-allow-methods"]
            assert at.provider.asked == []
            at.provider.head = ANSWER + b"\r\naccess-control-allow-origin: https://evil.example"
            at.provider.pieces = [b"{}"]
            answer, _ = await at.client.request("GET", "/v1/models", b"", {"origin": PAGE})
            assert answer.headers["access-control-allow-origin"] == PAGE
            answer, _ = await at.client.request("GET", "/v1/models")
            assert "access-control-allow-origin" not in answer.headers

    run(main())


def test_a_page_that_is_allowed_reads_every_response(run: Run[None]) -> None:
    """Of the provider, of runs, of their state, and errors."""

    async def main() -> None:
        async with setting("sk-secret", access=strict()) as at:
            at.provider.pieces = [chunk("Hi"), chunk(finish="stop"), DONE]
            page = {"origin": PAGE, "headwater-run": "r1"}
            for method, path, status in (
                ("POST", URL, 200),
                ("GET", "/v1/runs/r1", 200),
                ("GET", "/v1/runs/r1/stream", 200),
                ("GET", "/v1/runs/none", 404),
                ("GET", "/v2", 404),
            ):
                answer, _ = await at.client.request(method, path, ASK, page)
                assert (answer.status, answer.headers.get("access-control-allow-origin")) == (status, PAGE)
                assert answer.headers["access-control-expose-headers"] == "*"

    run(main())


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
def test_methods_that_do_not_go_up(run: Run[None], method: str) -> None:
    """TRACE would send the provider's key back to the client (RFC 9110 section 9.3.8)."""

    async def main() -> None:
        async with setting("sk-secret") as at:
            answer, _ = await at.client.request(method, "/v1/models")
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, PUT, PATCH, DELETE")
            assert at.provider.asked == []

    run(main())


def test_one_client_s_cookies_are_not_another_s(run: Run[None]) -> None:
    """None is kept from the provider's answers; with a key of the proxy, a client does not see them either."""

    async def main() -> None:
        for key in (None, "sk-secret"):
            async with setting(key) as at:
                at.provider.head = ANSWER + b"\r\nset-cookie: session=of-one; Path=/"
                at.provider.pieces = [b"{}"]
                answer, _ = await at.client.request("GET", "/v1/models")
                assert ("set-cookie" in answer.headers) is (key is None)
                await at.client.request("GET", "/v1/models")
                assert [asked.headers.get("cookie") for asked in at.provider.asked] == [None, None]

    run(main())


def test_a_client_s_key_for_the_proxy_stays_here(run: Run[None]) -> None:
    """Clients that bring the provider's key send both; the order of the two headers is theirs."""

    async def main() -> None:
        async with setting(access=strict("one")) as at:
            at.provider.head, at.provider.pieces = ANSWER, [b"{}"]
            theirs = [
                {"x-api-key": "one", "authorization": "Bearer sk-theirs"},
                {"x-api-key": "sk-theirs", "authorization": "Bearer one"},
            ]
            for headers in theirs:
                answer, _ = await at.client.request("GET", "/v1/models", headers=headers)
                assert answer.status == 200
            first, second = at.provider.asked
            assert (first.headers["authorization"], "x-api-key" in first.headers) == ("Bearer sk-theirs", False)
            assert (second.headers["x-api-key"], "authorization" in second.headers) == ("sk-theirs", False)

    run(main())


def test_headers_of_the_connection_and_of_the_origin(run: Run[None]) -> None:
    """What `Connection` names goes no further, both ways; the key's header cannot be named away."""

    async def main() -> None:
        async with setting("sk-secret") as at:
            at.provider.head = ANSWER + (
                b'\r\nconnection: x-hop\r\nx-hop: 1\r\nx-end: 1\r\nalt-svc: h3=":443"\r\nclear-site-data: "*"'
                b"\r\nstrict-transport-security: max-age=1\r\ncontent-security-policy: script-src *"
            )
            at.provider.pieces = [b"{}"]
            named = {"connection": "x-api-key, Authorization, x-mine", "x-mine": "1"}
            answer, _ = await at.client.request("GET", "/v1/models", headers=named)
            (asked,) = at.provider.asked
            assert (asked.headers["authorization"], asked.headers["x-api-key"]) == ("Bearer sk-secret", "sk-secret")
            assert not {"x-mine"} & asked.headers.keys()
            gone = {"x-hop", "alt-svc", "clear-site-data", "strict-transport-security"}
            assert not gone & answer.headers.keys()
            assert (answer.headers["x-end"], answer.headers["content-security-policy"]) == ("1", "sandbox")

    run(main())


def test_redirects_are_not_followed(run: Run[None]) -> None:
    """The client sees them."""

    async def main() -> None:
        async with setting("sk-secret") as at:
            at.provider.head = b"HTTP/1.1 307 No\r\nlocation: http://127.0.0.1:9/steal\r\ncontent-length: 0"
            for headers in ({}, {"headwater-run": "r1"}):
                answer, _ = await at.client.request("POST", URL, ASK, headers)
                assert (answer.status, answer.headers["location"]) == (307, "http://127.0.0.1:9/steal")
            assert len(at.provider.asked) == 2

    run(main())


def test_a_header_that_cannot_be_passed_on(run: Run[None]) -> None:
    """400, and not an error of the proxy; nor is an answer that nobody asked for."""

    async def main() -> None:
        async with setting("sk-secret") as at:
            answer, body = await at.client.request("GET", "/v1/models", headers={"x-bad": "a\x01b\nc: d"})
            assert (answer.status, json.loads(body)["error"]["code"]) == (400, "bad-request")
            assert b"sk-secret" not in body
            assert at.provider.asked == []
            at.provider.head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x"
            answer, _ = await at.client.request("GET", "/v1/models", headers={"connection": "upgrade", "upgrade": "x"})
            assert answer.status == 502

    run(main())


@pytest.mark.parametrize("key", ["sk-secret\n", "sk secret", "", "sk-s\xe9cret", "sk-secret\r\nhost: a"])
def test_keys_that_are_not_allowed(key: str) -> None:
    """At the start, and without showing them: the error of a request that cannot be sent would show its header."""
    with pytest.raises(BadRequest, match="not allowed") as caught:
        Upstream("http://a", key)
    assert not key or key not in caught.value.message
