"""The page at `/`: one file, no build step, no script but its own."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from re import DOTALL, findall
from typing import Final

from headwater.protocol.responses import Answer

_HTML: Final = (files("headwater.asgi") / "static" / "index.html").read_bytes()


def _hashes(tag: bytes) -> str:
    blocks = findall(rb"<%b[^>]*>(.*?)</%b>" % (tag, tag), _HTML, DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(block).digest()).decode()}'" for block in blocks)


# Only the page's own script and style run, by their hashes (CSP level 3, section 6.7.3.2).
_POLICY: Final = (
    f"default-src 'none'; connect-src 'self'; img-src data:; script-src {_hashes(b'script')}; "
    f"style-src {_hashes(b'style')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page() -> Answer:
    """The page."""
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-cache"),
    ]
    return Answer(200, headers, _HTML)
