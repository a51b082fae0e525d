"""A provider is a folder and a line: each is registered, and knows its own items only."""

from __future__ import annotations

import pkgutil
from typing import Any

import pytest
from tests.llm.providers.test_wire import VECTORS, events_of

import headwater.llm.providers as folder
from headwater.errors import LimitReached, NotAuthorized, UnknownDialect
from headwater.llm.providers.registry import (
    DIALECTS,
    PROVIDERS,
    VOICES,
    dialect,
    endpoint_of,
    error_within_answer,
    family_of,
    refusal,
)
from headwater.llm.providers.wire import FORMS


def test_every_folder_is_registered() -> None:
    folders = {found.name for found in pkgutil.iter_modules(folder.__path__) if found.ispkg}
    assert len(PROVIDERS) == len(folders)
    assert all(provider.source or provider.dialects for provider in PROVIDERS)


def test_names_are_unique_and_what_a_proxy_reads_can_be_told() -> None:
    assert len(VOICES) == len([provider for provider in PROVIDERS if provider.source])
    assert len(DIALECTS) == sum(len(provider.dialects) for provider in PROVIDERS)
    for endpoint in (endpoint for provider in PROVIDERS for endpoint in provider.endpoints):
        assert endpoint.examples
        assert all(endpoint_of(example.partition("?")[0]) is endpoint for example in endpoint.examples)
        for query in ("", "alt=sse", "alt=json"):
            name = endpoint.stream_of(query, {"stream": True})
            assert name in FORMS
            assert DIALECTS[name].relays == name
        assert DIALECTS[endpoint.dialect]
        assert endpoint.stream_of("alt=nothing", {"stream": False}) == ""
    with pytest.raises(UnknownDialect):
        dialect("klingon")


@pytest.mark.parametrize("name", ["openai", "openai-responses", "anthropic", "ai-sdk"])
def test_a_family_knows_its_events_and_no_other_does(name: str) -> None:
    """Each is asked alone, so that no order of the registry hides who else would take an event."""
    for event in events_of(VECTORS[name]):
        if event.get("type") == "error":
            continue
        known = [family for family, voice in VOICES.items() if voice.knows(event, name)]
        assert known == [name], event
        assert family_of(event, name) == name


@pytest.mark.parametrize("item", [{}, {"type": "klingon"}, object(), 5, None, (), ("a", 1), [], {"type": 5}])
def test_nobody_knows_what_is_nobodys(item: Any) -> None:
    assert family_of(item) == ""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/chat/completions", "openai"),
        ("/v1/completions", "openai"),
        ("/v1/openai/deployments/my-gpt/chat/completions", "openai"),
        ("/v1/openai/v1/responses", "openai-responses"),
        ("/v1/responses", "openai-responses"),
        ("/v1/messages", "anthropic"),
        ("/v1/anthropic/v1/messages", "anthropic"),
        ("/v1/threads/t/messages", None),
        ("/v1/responses/resp_1", None),
        ("/v1/models", None),
    ],
)
def test_where_providers_are_asked(path: str, found: str | None) -> None:
    endpoint = endpoint_of(path)
    assert (endpoint and endpoint.dialect) == found


@pytest.mark.parametrize("name", DIALECTS)
def test_a_refusal_says_the_sentence_in_each_dialect(name: str) -> None:
    told = refusal(LimitReached("there are max_running=1 runs already"), name)
    assert told is None or b"max_running=1" in told.body


def test_the_words_of_openai_and_anthropic() -> None:
    error = NotAuthorized("no key")
    openai, anthropic = refusal(error, "openai"), refusal(error, "anthropic")
    assert openai is not None
    assert anthropic is not None
    assert openai.body.startswith(b'{"error":{"message":"no key","type":"authentication_error"')
    assert anthropic.body == b'{"type":"error","error":{"type":"authentication_error","message":"no key"}}'
    assert error_within_answer(ValueError("no")) is None
