"""Whatever a client sends as its target: it is refused, or the URL that is made of it is one of the provider."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.errors import BadRequest
from headwater.llm.proxy.base_url import parse_base_url
from headwater.llm.proxy.target import Route, parse_target

BASES = [
    "http://127.0.0.1:8000",
    "https://api.example",
    "https://api.example/v1",
    "http://[::1]:9/a/b/",
    "http://h:80/",
]

#: What paths that leave their place are made of.
PIECES = [
    *(b"/v1", b"/v%31", b"/", b"//", b"%2f", b"%5c", b"\\", b"@", b"%40", b":", b"?", b"#", b"%23", b"%3f", b";"),
    *(b"..", b".", b"%2e%2e", b".%2E", b"%252e%252e", b"%00", b"%0d%0a", b"\r\n", b"\t", b" ", b"%", b"%zz", b"%c0%ae"),
    *(b"evil.example", b"127.0.0.1:1", b"http://", b"runs", b"models", b"chat/completions", b"\xff", b"\xc3\xa9"),
]
TARGETS = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: b"/v1/" + b"".join(pieces)),
)


@given(st.sampled_from(BASES), TARGETS, TARGETS)
@example("http://127.0.0.1:8000", b"/v%31%2f@127.0.0.1:9/steal", b"")
@example("http://127.0.0.1:8000", b"/v1%2f@127.0.0.1:9/steal", b"")
@example("http://127.0.0.1:8000", b"/v1@127.0.0.1:9/steal", b"")
@example("https://api.example/v1", b"/v1/..%2f..%2fadmin", b"")
@example("https://api.example/v1", b"/v1/models", b"@evil.example/")
@example("https://api.example", b"/v1/@evil.example/x", b"")
def test_a_target_never_leaves_the_provider(base: str, path: bytes, query: bytes) -> None:
    """As two parsers of URLs read it: the base's scheme, host and port, and a path below the base's."""
    provider = parse_base_url(base)
    try:
        url = provider.url_of(parse_target(path, query))
    except BadRequest:
        return
    expected = urlsplit(base)
    one, other = urlsplit(url), httpx2.URL(url)
    assert (one.scheme, one.hostname, one.port or provider.port) == (expected.scheme, expected.hostname, provider.port)
    assert (one.username, one.password, one.fragment) == (None, None, "")
    assert (other.scheme, other.raw_host, other.port) == (
        (known := httpx2.URL(base)).scheme,
        known.raw_host,
        known.port,
    )
    assert other.userinfo == b""
    for found in (one.path, other.raw_path.decode().partition("?")[0]):
        assert found.startswith(provider.path + "/")
        assert found == provider.path + path.decode()[len("/v1") :]


@pytest.mark.parametrize(
    "target",
    [
        *("/v%31%2f@127.0.0.1:9/steal", "/v1%2f@127.0.0.1:9/steal", "/v%31/models", "/v1%2fmodels"),
        *(
            "/v1/..",
            "/v1/../x",
            "/v1/a/./b",
            "/v1/%2e%2e/x",
            "/v1/%2E./x",
            "/v1/a%2f..%2fb",
            "/v1/%252e%252e/x",
            "/v1/..;/x",
        ),
        *("/v1//evil.example", "//evil.example/v1/models", "/v1/\\evil", "/v1/%5cevil", "/v1/%255cevil"),
        *("/v1/a%00", "/v1/a%0d%0ahost:%20b", "/v1/a\r\nb", "/v1/a b", "/v1/\u00e9", "/v1/%ff", "/v1/%c0%ae%c0%ae/x"),
        *("/v1/%", "/v1/%zz", "/v1/a#b", "http://127.0.0.1:9/v1/models", "*", "", "v1/models", "@127.0.0.1:9/"),
        *(
            "/v1/ru%6es/r1",
            "/v1/runs%2fr1",
            "/v1/%2fruns/r1",
            "/v1/chat%2fcompletions",
            "/v1/%6dessages",
            "/-/%68ealth",
        ),
        "/v1/" + "%25" * 9 + "%32%35" * 9,
    ],
)
def test_targets_that_are_refused(target: str) -> None:
    """What the proxy and the provider, or a program between, could read in two ways."""
    with pytest.raises(BadRequest, match="target"):
        parse_target(target.encode())


@pytest.mark.parametrize(
    ("target", "query", "url"),
    [
        ("/v1/models", "", "https://api.example/base/models"),
        ("/v1/models/", "", "https://api.example/base/models/"),
        ("/v1/models/org%2Fname", "", "https://api.example/base/models/org%2Fname"),
        (
            "/v1/models/gemini:generateContent",
            "alt=sse",
            "https://api.example/base/models/gemini:generateContent?alt=sse",
        ),
        ("/v1/files/a%20b%C3%A9/content", "", "https://api.example/base/files/a%20b%C3%A9/content"),
        ("/v1/100%25", "", "https://api.example/base/100%25"),
        ("/v1/@me", "a=@b:c/d?e&f=%zz|{}", "https://api.example/base/@me?a=@b:c/d?e&f=%zz|{}"),
    ],
)
def test_targets_that_pass(target: str, query: str, url: str) -> None:
    """Letter by letter: encoded slashes of a model's name, colons, other alphabets, queries."""
    assert parse_base_url("https://API.example:443/base/").url_of(parse_target(target.encode(), query.encode())) == url


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", Route.STATUS),
        ("/-/health", Route.STATUS),
        ("/v1/messages", Route.CALL),
        ("/v1/runs/r1/stream", Route.RUNS),
        ("/v1/runs", Route.PROVIDER),
        ("/v1/models", Route.PROVIDER),
        ("/v2/models", Route.NOWHERE),
        ("/v1", Route.NOWHERE),
    ],
)
def test_who_answers(path: str, route: Route) -> None:
    """Only what is below `/v1/` and not a run's goes up."""
    assert parse_target(path.encode()).route is route


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "ftp://a/v1",
            "file:///etc/passwd",
            "http://",
            "http:/a",
            "//a/v1",
            "http://a:0",
            "http://a:65536",
            "http://[x",
        ),
        *("https://u:p@a/v1", "ftp://u:p@a/v1", "http://u:p@a:99999", "http://@a/v1", "http://:@a", "http://u:p"),
        *("http://a/v1?key=x", "http://a/v1?", "http://a/v1#", "http://a/v1#x", "http://a#@b/", "http://a\\@b/"),
        *(
            "http://a/../b",
            "http://a/%2e%2e/b",
            "http://a//b",
            "http://a/b c",
            "http://a\n.b/",
            " http://a",
            "http://\u00e9/",
        ),
    ],
)
def test_upstreams_that_are_not_allowed(url: str) -> None:
    """The message says what is wrong, and shows no password."""
    with pytest.raises(BadRequest, match="not allowed") as caught:
        parse_base_url(url)
    assert "u:p@" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("HTTPS://API.openai.com:443/v1/", "https://api.openai.com/v1"),
        ("http://localhost:11434", "http://localhost:11434"),
        ("http://[::1]:8080/a/b", "http://[::1]:8080/a/b"),
        ("http://my_host/openai/deployments/x", "http://my_host/openai/deployments/x"),
    ],
)
def test_upstreams_that_are_allowed(url: str, text: str) -> None:
    """In one spelling."""
    assert str(parse_base_url(url)) == text
