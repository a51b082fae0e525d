"""Pages from other origins: who may read, who may write, and what they are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import HostNotAllowed, OriginNotAllowed
from headwater.protocol import names
from headwater.protocol.cors import ANY, LOOPBACK, CorsPolicy, HostPolicy, preflight_headers

HOST = "streams.example:4437"
WRITES = ("POST", "PUT", "DELETE")


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "http://localhost:8000", "https://127.0.0.1:1", "http://[::1]:3000", "HTTP://LOCALHOST"],
)
def test_pages_of_this_machine_are_allowed_by_default(origin: str) -> None:
    """On any port; and only while the setting says so."""
    assert CorsPolicy().allows(origin, HOST)
    assert CorsPolicy((LOOPBACK, "https://app.example")).allows(origin, HOST)
    assert not CorsPolicy(()).allows(origin, HOST)


@pytest.mark.parametrize("origin", ["http://streams.example:4437", "https://Streams.Example:4437"])
def test_the_server_s_own_pages_are_always_allowed(origin: str) -> None:
    """A page that the server's own host served, whatever the setting."""
    assert CorsPolicy(()).allows(origin, HOST)


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        ("https://app.example", "https://app.example", True),
        ("https://app.example/", "https://APP.example", True),
        ("https://app.example", "http://app.example", False),
        ("https://app.example", "https://app.example:8443", False),
        ("https://app.example", "https://evil.app.example", False),
        ("https://app.example", "https://app.example.evil", False),
        ("null", "null", True),
    ],
)
def test_a_listed_origin_is_the_whole_origin(listed: str, origin: str, allowed: bool) -> None:
    """Scheme, host and port; in any case, and with a slash at the end or without."""
    assert CorsPolicy((listed,)).allows(origin, HOST) is allowed


def test_a_star_allows_every_page() -> None:
    """Also those that name no host."""
    assert CorsPolicy((ANY,)).allows("https://any.example", HOST)
    assert CorsPolicy((ANY,)).allows("null", "")


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "https://evil.example",
            "null",
            "",
            "file://",
            "http://",
            "://",
            "localhost",
            "about:blank",
            "data:text/html,",
        ),
        *("http://localhost.evil", "http://evil/localhost", "http://localhost@evil", "http://127.0.0.1.evil"),
        *(
            "http://streams.example",
            "http://streams.example:4438",
            "http://[",
            "http://[::1",
            "http://[x]",
            "http://a]",
        ),
        *("http://loc\nalhost", "http://localhost\r\nx: y", "\0http://localhost", "\thttp://localhost", "http://h\x85"),
        *(" http://evil", "http://\xa0localhost", "http://¼", "\x01"),
    ],
)
@pytest.mark.parametrize("host", [HOST, ""])
def test_other_pages_are_not_allowed(origin: str, host: str) -> None:
    """Other hosts, sandboxed pages, what is no URL, and control characters; with and without a Host header."""
    policy = CorsPolicy()
    sent = origin.encode("latin-1")
    assert not policy.allows(origin, host)
    assert policy.headers(sent, host.encode()) == [(names.VARY, b"origin")]
    for method in WRITES:
        with pytest.raises(OriginNotAllowed) as caught:
            policy.check_origin(method, sent, host.encode())
        assert caught.value.message.isprintable()
    for method in ("GET", "HEAD", "OPTIONS"):
        policy.check_origin(method, sent, host.encode())


@pytest.mark.parametrize("method", WRITES)
def test_who_is_no_page_or_is_allowed_writes(method: str) -> None:
    """curl sends no Origin; a page that is allowed sends its own."""
    CorsPolicy(()).check_origin(method, None, b"")
    CorsPolicy().check_origin(method, b"http://localhost:5173", HOST.encode())
    CorsPolicy((ANY,)).check_origin(method, b"null", HOST.encode())


def test_headers_name_the_page_that_may_read() -> None:
    """The origin itself, what it may read, and that another page gets another answer."""
    headers = dict(CorsPolicy().headers(b"http://localhost:1", b"h"))
    assert headers == {
        b"access-control-allow-origin": b"http://localhost:1",
        b"vary": b"origin",
        b"access-control-expose-headers": b", ".join(names.CORS_RESPONSE_HEADERS),
    }


def test_a_star_needs_no_origin() -> None:
    """The answer is the same for every page, so caches may keep one."""
    for origin in (None, b"https://any.example", b"\0"):
        headers = dict(CorsPolicy((ANY,)).headers(origin, b"h"))
        assert headers[b"access-control-allow-origin"] == b"*"
        assert b"vary" not in headers


def test_who_is_no_page_gets_no_headers() -> None:
    """No Origin, nothing to say."""
    assert CorsPolicy().headers(None, b"h") == []


def test_preflight_tells_methods_and_headers() -> None:
    """All that the protocol uses; the list is the caller's own."""
    headers = dict(preflight_headers())
    assert headers[b"access-control-allow-methods"].split(b", ") == [
        b"GET",
        b"HEAD",
        b"POST",
        b"PUT",
        b"DELETE",
        b"OPTIONS",
    ]
    assert set(headers[b"access-control-allow-headers"].split(b", ")) == set(names.CORS_REQUEST_HEADERS)
    preflight_headers().clear()
    assert dict(preflight_headers()) == headers


origins = st.binary(max_size=20) | st.lists(
    st.sampled_from(
        [b"http://", b"https:", b"localhost", b"[", b"]", b":", b"@", b"/", b"\r\n", b"\0", b"\xff", b"::1", b"%"]
    )
).map(b"".join)


@given(origin=origins, host=origins, method=st.sampled_from(WRITES))
def test_no_origin_is_an_error_or_breaks_a_line(origin: bytes, host: bytes, method: str) -> None:
    """Whatever is sent as Origin and Host: it is allowed or refused, and what is echoed is one line."""
    for policy in (CorsPolicy(), CorsPolicy((ANY,)), CorsPolicy(("https://app.example",))):
        headers = policy.headers(origin, host)
        for _, value in headers:
            assert not set(value) & set(b"\r\n\0")
        allowed = b"access-control-allow-origin" in dict(headers)
        try:
            policy.check_origin(method, origin, host)
        except OriginNotAllowed:
            assert not allowed
        else:
            assert allowed


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:4437", b"127.0.0.1:1", b"[::1]:4437", b"app.example", b""])
def test_a_server_answers_to_the_names_it_knows(host: bytes) -> None:
    """Loopback names and those that were allowed, on any port; and to a monitor that sends no `Host`."""
    HostPolicy(("loopback", "App.example")).check(host)


@pytest.mark.parametrize(
    "host", [b"evil.example", b"localhost.evil.example", b"app.example.evil", b"[", b"\xff", b"a b"]
)
def test_a_server_answers_to_no_other_name(host: bytes) -> None:
    """A page that pointed its own name at this machine gets nothing (DNS rebinding), unless every name is allowed."""
    with pytest.raises(HostNotAllowed):
        HostPolicy(("loopback", "app.example")).check(host)
    HostPolicy().check(host)
