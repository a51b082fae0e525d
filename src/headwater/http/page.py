"""The page at `/` and its files, as they are in `static`: no script but its own and the TypeScript client.

Rule 1: the page's policy lets in what carries this answer's nonce, and nothing else. "From this origin" would not do:
        streams are of this origin too, and anybody who may append writes their bytes (CSP level 3, section 8.1).
Rule 2: the files' URLs name their content, so they are kept for ever, and a page never meets files of another release.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from headwater.errors import RouteNotFound
from headwater.protocol.responses import Answer

_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_STATIC: Final = files("headwater.http") / "static"
_HTML: Final = Template((_STATIC / "index.html").read_text("utf-8"))
_FILES: Final = {
    file.name: file.read_bytes()
    for file in sorted(_STATIC.iterdir(), key=lambda file: file.name)
    if file.name.rpartition(".")[2] in _TYPES
}
#: Names the content of all files.
VERSION: Final = sha256(b"\0".join(_FILES.values())).hexdigest()[:16]

_ALWAYS: Final = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


def page(prefix: str, *, takes_tokens: bool = False, connects: bool = False) -> Answer:
    """The page.

    Args:
        prefix: where streams begin below it, with both slashes.
        takes_tokens: who shows a token may sign in.
        connects: a connection may read many streams.
    """
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-{nonce}'; "
        f"style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    asks = "tokens" if takes_tokens else ""
    reads = "connection" if connects else ""
    place = escape(prefix.removeprefix("/"))
    html = _HTML.substitute(nonce=nonce, version=VERSION, prefix=place, asks=asks, reads=reads)
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy.encode()),
        # A nonce is good for one answer.
        (b"cache-control", b"no-store"),
        *_ALWAYS,
    ]
    return Answer(200, headers, html.encode())


def page_file(route: str) -> Answer:
    """A file of the page.

    Args:
        route: `VERSION/NAME`.

    Raises:
        RouteNotFound: there is no such file, or it is of another release.
    """
    version, _, name = route.partition("/")
    if version != VERSION or name not in _FILES:
        raise RouteNotFound(f"the page has no file {route[:80]!r}; load the page again")
    headers = [
        (b"content-type", _TYPES[name.rpartition(".")[2]].encode()),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"cross-origin-resource-policy", b"same-origin"),
        *_ALWAYS,
    ]
    return Answer(200, headers, _FILES[name])
