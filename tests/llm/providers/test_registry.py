"""A provider is a folder and a line: each is registered, and knows its own items only."""

from __future__ import annotations

import json
import pkgutil
from typing import Any

import pytest
from tests.llm.providers.own_items import answer_of
from tests.llm.providers.test_damaged import TOLD_AGAIN
from tests.llm.providers.test_left_out import counted
from tests.llm.providers.test_wire import VECTORS, events_of
from tests.llm.sample_runs import told

import headwater.llm.providers as folder
from headwater.errors import LimitReached, NotAuthorized, UnknownDialect, UnknownItem
from headwater.llm.answer import Answer
from headwater.llm.parts import Error, Foreign, Part, Start
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.providers.registry import (
    DIALECTS,
    FOLDERS,
    PROVIDERS,
    VOICES,
    dialect,
    endpoint_of,
    error_within_answer,
    family_of,
    refusal,
)
from headwater.llm.providers.source import Voice
from headwater.llm.providers.wire import FORMS, WireRecogniser


def test_every_folder_is_registered() -> None:
    folders = {found.name for found in pkgutil.iter_modules(folder.__path__) if found.ispkg}
    assert sorted(FOLDERS) == sorted(folders)
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


@pytest.mark.parametrize("name", VOICES)
def test_a_family_knows_its_items_and_no_other_does(name: str) -> None:
    """Each is asked alone, so that no order of the registry hides who else would take an item."""
    recorded = events_of(VECTORS[name]) if name in VECTORS else []
    for item in [*answer_of(name), *recorded]:
        if isinstance(item, dict) and item.get("type") == "error":
            continue
        known = [family for family, voice in VOICES.items() if voice.knows(item, name)]
        assert known == [name], item
        assert family_of(item, name) == name
        if not DIALECTS.keys() & {name}:
            assert not [family for family, voice in VOICES.items() if family != name and voice.knows(item, "")]


@pytest.mark.parametrize("name", VOICES)
def test_a_later_event_ends_no_run(name: str) -> None:
    """Under the name that the family's events have, wherever it comes: it is kept, counted, and the run goes on."""
    items = answer_of(name)
    fields = VOICES[name].named_by
    laters: list[Any] = [{field: "later.thing", "x": "TWFyaw=="} for field in {*fields, "type"}]
    if name == "bedrock":
        laters.append({"laterThing": {"x": "TWFyaw=="}})
    wanted = Answer(parts_of(items))
    assert wanted.finish is not None
    for later in laters:
        for at in range(1, len(items)):
            parts = parts_of([*items[:at], later, *items[at:]])
            answer = Answer(parts)
            assert (answer.text, answer.finish, answer.error) == (wanted.text, wanted.finish, None)
            assert [part for part in parts if isinstance(part, Foreign) and part.content] == [
                Foreign(name, later, content=True)
            ]
            for dialect_name, made in DIALECTS.items():
                is_own = TOLD_AGAIN.get(dialect_name) == name
                run: list[Part] = [Start(id="m", run="r"), *parts]
                is_told = b"TWFyaw==" in told(dialect_name, run)
                is_counted = counted(dialect_name, run).get("foreign", 0) == 1
                assert is_told != is_counted, (dialect_name, later)
                assert is_own or made.keeps_records or is_counted


@pytest.mark.parametrize("name", [name for name in VOICES if VOICES[name].wires])
def test_a_later_event_ends_no_run_of_the_proxy(name: str) -> None:
    later = {VOICES[name].named_by[0]: "later.thing", "x": "TWFyaw=="}
    items = [*answer_of(name)]
    items.insert(1, later)
    is_lines = FORMS[name] == "lines"
    texts = [json.dumps(item).encode() for item in items]
    body = b"".join(text + b"\n" if is_lines else b"data: " + text + b"\n\n" for text in texts)
    recogniser = WireRecogniser(name)
    parts = [*recogniser.feed(body), *recogniser.finish()]
    assert Answer(parts).error is None
    assert Foreign(name, later, content=True) in parts


class DifyVoice(Voice):
    """A family whose events have their name in `event`."""

    dialect = "dify"
    named_by = ("event",)

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        return isinstance(item, dict) and item.get("event") in ("message", "message_end")

    def hear(self, event: Any) -> None:
        """See `Voice.hear`."""
        self._builder.say(event.get("answer", ""))


def test_a_later_event_of_a_family_with_its_own_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VOICES, "dify", DifyVoice)
    later = {"event": "workflow_paused", "x": 1}
    items = [{"event": "message", "answer": "Hel"}, later, {"event": "ping"}, {"event": "message", "answer": "lo"}]
    parts = parts_of([*items, {"event": "message_end"}])
    assert Answer(parts).text == "Hello"
    kept = [Foreign("dify", later, content=True), Foreign("dify", {"event": "ping"})]
    assert [part for part in parts if isinstance(part, Foreign)] == kept
    with pytest.raises(UnknownItem):
        parts_of([{"event": "message"}, {"name": "of nobody"}])


@pytest.mark.parametrize("name", VOICES)
def test_an_error_in_a_form_that_nobody_knows_is_no_good_answer(name: str) -> None:
    items = answer_of(name)
    for field in {"type", *VOICES[name].named_by}:
        parts = parts_of([*items[:1], {field: "error", "x": 1}, *items[1:]])
        error = parts[-1]
        assert isinstance(error, Error), field
        assert error.code


def parts_of(items: list[Any]) -> list[Part]:
    recogniser = Recogniser()
    parts = [part for item in items for part in recogniser.feed(item)]
    return [*parts, *recogniser.finish()]


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
