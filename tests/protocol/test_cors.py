"""Pages from other origins: who may read, who may write, and what they are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.test_hosts import NO_HOSTS

from headwater.errors import BadRequest, HostNotAllowed, OriginNotAllowed
from headwater.protocol import names
from headwater.protocol.cors import ANY, LOOPBACK, CorsPolicy, HostPolicy, preflight_headers

HOST = b"streams.example:4437"
WRITES = ("POST", "PUT", "DELETE")


@pytest.mark.parametrize(
    "origin",
    [
        *("http://localhost", "http://localhost:8000", "https://127.0.0.1:1", "http://[::1]:3000", "HTTP://LOCALHOST"),
        *("http://localhost.", "http://app.localhost:5173", "http://127.9.8.7", "http://[::ffff:127.0.0.1]"),
    ],
)
def test_pages_of_this_machine_are_allowed_by_default(origin: str) -> None:
    """On any port; and only while the setting says so."""
    assert CorsPolicy().allows(origin.encode(), HOST)
    assert CorsPolicy((LOOPBACK, "https://app.example")).allows(origin.encode(), HOST)
    assert not CorsPolicy(()).allows(origin.encode(), HOST)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (b"http://streams.example:4437", HOST),
        (b"https://Streams.Example:4437", HOST),
        (b"https://streams.example", b"streams.example"),
        (b"https://streams.example", b"streams.example.:443"),
        (b"http://[2001:db8::1]", b"[2001:DB8:0::1]"),
    ],
)
def test_the_server_s_own_pages_are_always_allowed(origin: bytes, host: bytes) -> None:
    """A page that the server's own host served, whatever the setting; the default port may be said or not."""
    assert CorsPolicy(()).allows(origin, host)


@pytest.mark.parametrize("host", [b"streams.example:80", b"streams.example:4437", b"other.example", b"", b"a b"])
def test_another_port_is_another_origin(host: bytes) -> None:
    """`https://streams.example` is at port 443."""
    assert not CorsPolicy(()).allows(b"https://streams.example", host)


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        ("https://app.example", "https://app.example", True),
        ("https://app.example/", "https://APP.example", True),
        ("https://app.example", "http://app.example", False),
        ("https://app.example", "https://app.example:8443", False),
        ("https://app.example", "https://evil.app.example", False),
        ("https://app.example", "https://app.example.evil", False),
        ("https://app.example:443", "https://app.example", True),
        ("https://bücher.example", "https://xn--bcher-kva.example", True),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example", True),
        ("null", "null", True),
        ("https://app.example", "null", False),
        ("capacitor://localhost", "capacitor://localhost", True),
        ("capacitor://localhost", "http://localhost", False),
        ("chrome-extension://abcdef/", "chrome-extension://abcdef", True),
    ],
)
def test_a_listed_origin_is_the_whole_origin(listed: str, origin: str, allowed: bool) -> None:
    """Scheme, host and port; in any case, and with a slash at the end or without."""
    assert CorsPolicy((listed,)).allows(origin.encode(), HOST) is allowed


@pytest.mark.parametrize(
    "listed",
    [
        *("app.example", "https://", "https://app.example/path", "https://*.example", "https://a b", "//app.example"),
        *("https://app.example?x", "https://user@app.example", "https://straße.example", "", "https://app.example:x"),
    ],
)
def test_a_setting_that_is_no_origin_is_told(listed: str) -> None:
    """It would never let anybody in."""
    with pytest.raises(ValueError, match=r"origin|forms"):
        CorsPolicy((listed,))


def test_one_text_in_place_of_a_tuple_is_told() -> None:
    """Its letters are no origins, and a `*` among them would let in everybody."""
    for text in ("https://app.example", "*"):
        with pytest.raises(ValueError, match="a tuple of texts, such as"):
            CorsPolicy(text)


def test_a_star_allows_every_page() -> None:
    """Also those that name no host."""
    assert CorsPolicy((ANY,)).allows(b"https://any.example", HOST)
    assert CorsPolicy((ANY,)).allows(b"null", b"")


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
        *("file://localhost", "//localhost", "http://localhost#.evil", "http://localhost/", "http://localhost?.evil"),
        *(
            "ftp://localhost",
            "capacitor://localhost",
            "http://localhost:",
            "http://localhost:x",
            "http://localhost:99999",
        ),
        *("http://user@localhost", "http://%6cocalhost", "http://localhost\\.evil", "http://localhost, http://evil"),
        *(
            "http://notlocalhost",
            "http://.localhost",
            "http://128.0.0.1",
            "http://127.1",
            "http://loopback",
            "loopback",
        ),
        *("http://[::2]", "http://[::ffff:10.0.0.1]", "http://[fe80::1%25lo]", "http://[::1", "http://::1", "*"),
    ],
)
@pytest.mark.parametrize("host", [HOST, b""])
def test_other_pages_are_not_allowed(origin: str, host: bytes) -> None:
    """Other hosts, sandboxed pages, what is no URL, and control characters; with and without a Host header."""
    policy = CorsPolicy()
    sent = origin.encode("latin-1")
    assert not policy.allows(sent, host)
    assert policy.headers(sent, host) == [(names.VARY, b"origin")]
    for method in WRITES:
        with pytest.raises(OriginNotAllowed) as caught:
            policy.check_origin(method, sent, host)
        assert caught.value.message.isprintable()
    for method in ("GET", "HEAD", "OPTIONS"):
        policy.check_origin(method, sent, host)


@pytest.mark.parametrize("method", WRITES)
def test_who_is_no_page_or_is_allowed_writes(method: str) -> None:
    """curl sends no Origin; a page that is allowed sends its own."""
    CorsPolicy(()).check_origin(method, None, b"")
    CorsPolicy().check_origin(method, b"http://localhost:5173", HOST)
    CorsPolicy((ANY,)).check_origin(method, b"null", HOST)


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


def test_who_is_no_page_is_told_that_pages_differ() -> None:
    """A cache must not give a page what it kept of curl's answer; nothing else is said."""
    assert CorsPolicy().headers(None, b"h") == [(names.VARY, b"origin")]


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


@pytest.mark.parametrize(
    "host",
    [
        *(b"localhost", b"LOCALHOST:4437", b"127.0.0.1:1", b"[::1]:4437", b"app.example", b"APP.example.:80", b""),
        *(b"localhost.", b"a.b.localhost:1", b"127.255.0.1", b"[::ffff:127.0.0.1]", b"[0:0::1]", b"localhost:"),
        *(b"[2001:db8::7]:4437", b"10.0.0.7", b"xn--bcher-kva.example"),
    ],
)
def test_a_server_answers_to_the_names_it_knows(host: bytes) -> None:
    """Loopback names and those that were allowed, on any port; and to a monitor that sends no `Host` in HTTP/1.0."""
    HostPolicy(("loopback", "App.example", "2001:db8:0::7", "10.0.0.7", "Bücher.example")).check(host)


@pytest.mark.parametrize(
    "host",
    [
        *(b"evil.example", b"localhost.evil.example", b"app.example.evil", b"notlocalhost", b"loopback", b"128.0.0.1"),
        *(b"0.0.0.0", b"[::]", b"[::ffff:10.0.0.1]", b"127.1", b"127.0.0.1.evil.example"),
    ],
)
def test_a_server_answers_to_no_other_name(host: bytes) -> None:
    """A page that pointed its own name at this machine gets nothing (DNS rebinding), unless every name is allowed."""
    with pytest.raises(HostNotAllowed):
        HostPolicy(("loopback", "app.example")).check(host)
    HostPolicy().check(host)


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_is_a_bad_request(host: bytes) -> None:
    """Whatever names are allowed (RFC 9112 section 3.2)."""
    for policy in (HostPolicy(("loopback",)), HostPolicy()):
        assert not policy.allows(host)
        with pytest.raises(BadRequest, match="Host header") as caught:
            policy.check(host)
        assert caught.value.message.isprintable()


def test_http_1_1_needs_a_host() -> None:
    """HTTP/1.0 does not, and in HTTP/2 it has another name."""
    with pytest.raises(BadRequest, match="needs a Host"):
        HostPolicy().check(b"", required=True)
    HostPolicy(()).check(b"")


@pytest.mark.parametrize("listed", ["", "a b", "*.example", "https://app.example", "a/b", "groß.example", "a..b"])
def test_a_setting_that_is_no_host_is_told(listed: str) -> None:
    """It would never match."""
    with pytest.raises(ValueError, match=r"host|name|forms"):
        HostPolicy((listed,))
