"""The stock Python SDKs, reading bytes that are given."""

from __future__ import annotations

from collections.abc import Iterable

import httpx2
from anthropic import Anthropic
from openai import OpenAI

KEY = "no key"


def _http(pieces: Iterable[bytes]) -> httpx2.Client:
    head = {"content-type": "text/event-stream"}
    return httpx2.Client(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, headers=head, content=iter(pieces)))
    )


def openai(*pieces: bytes) -> OpenAI:
    return OpenAI(api_key=KEY, base_url="http://provider.test/v1", http_client=_http(pieces), max_retries=0)


def anthropic(*pieces: bytes) -> Anthropic:
    return Anthropic(api_key=KEY, base_url="http://provider.test", http_client=_http(pieces), max_retries=0)
