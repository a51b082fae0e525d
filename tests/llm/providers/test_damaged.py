"""Streams of providers, damaged: events are lost, doubled, out of order or another's, and fields are others.

Rule: nothing raises, wherever the bytes are cut; the parts are well formed; every reader is told the same, live and
late, and an end that is no success is not silent. The seed decides everything.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.llm.judge.cases import chat, messages, responses
from tests.llm.providers.test_left_out import EVERYTHING
from tests.llm.readers import Seen, read
from tests.llm.sample_runs import FULL, SAID, USED, told, told_late

from headwater.errors import UnknownItem
from headwater.llm.answer import coalesce
from headwater.llm.parts import (
    Abort,
    Error,
    Finish,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Start,
    Text,
    TextEnd,
    TextStart,
    decode_part,
    encode_part,
)
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.providers.registry import DIALECTS, PROVIDERS
from headwater.llm.providers.wire import FORMS, WireRecogniser
from headwater.model import Failure
from headwater.protocol.sse import Parser

Events = list[dict[str, Any]]

#: In place of the value of a field.
JUNK: tuple[Any, ...] = (
    None,
    5,
    -1,
    1e300,
    "",
    "x",
    "\ud83d",
    [],
    {},
    [None],
    {"type": "text"},
    {"type": {}},
    True,
    [{"type": 5}],
)
START = Start(id="m", run="r", created=1)
FAMILIES = {"chat": "openai", "messages": "anthropic", "responses": "openai-responses"}
#: The family whose events each dialect tells as they came.
TOLD_AGAIN = {
    made.name: provider.source.dialect for provider in PROVIDERS for made in provider.dialects if provider.source
}


def objects(family: str, body: bytes) -> Events:
    if FORMS.get(family) == "lines":
        return [json.loads(line) for line in body.splitlines()]
    found = []
    for event in Parser().feed(body + b"\n\n"):
        try:
            found.append(json.loads(event.data))
        except ValueError:
            continue
    return [event for event in found if isinstance(event, dict)]


def streams() -> dict[str, list[Events]]:
    """Of each family: those of the judge, and what dialects tell."""
    found: dict[str, list[Events]] = {}
    for case in (*chat.CASES, *messages.CASES, *responses.CASES):
        family = FAMILIES[case.api]
        if case.status == 200 and not case.coding and (events := objects(family, b"".join(case.pieces))):
            found.setdefault(family, []).append(events)
    for family in TOLD_AGAIN.values():
        if family not in FAMILIES.values():
            runs = FULL, [*SAID, *USED, Finish()], EVERYTHING
            found[family] = [objects(family, told(family, parts)) for parts in runs]
    return found


STREAMS = streams()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or list in a value, with each key."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value[:5]):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def damaged(chance: random.Random, family: str) -> Events:
    events = copy.deepcopy(chance.choice(STREAMS[family]))
    for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
        if not events:
            break
        at, to = chance.randrange(len(events)), chance.randrange(len(events))
        match chance.choice(["lose", "double", "swap", "cut", "mix", "mix all", "field", "field", "junk", "junk"]):
            case "lose":
                del events[at]
            case "double":
                events.insert(to, copy.deepcopy(events[at]))
            case "swap":
                events[at], events[to] = events[to], events[at]
            case "cut":
                del events[at + 1 :]
            case "mix":
                events.insert(at, copy.deepcopy(chance.choice(chance.choice(STREAMS[family]))))
            case "mix all":
                other = chance.choice(list(STREAMS.values()))
                events.insert(at, copy.deepcopy(chance.choice(chance.choice(other))))
            case how:
                holder, key = chance.choice(list(places(events[at])) or [(events, at)])
                if how == "field" and isinstance(holder, dict):
                    del holder[key]
                elif holder is not events:
                    holder[key] = copy.deepcopy(chance.choice(JUNK))
    return events


def check_form(parts: list[Part]) -> None:
    """What is opened is closed, and grows only in between; the end is the last, and one."""
    opened: set[tuple[str, str]] = set()
    for part in parts:
        match part:
            case TextStart(id) | ReasoningStart(id):
                assert (type(part).__name__[:4], id) not in opened
                opened.add((type(part).__name__[:4], id))
            case Text(id) | Reasoning(id):
                assert (type(part).__name__[:4], id) in opened
            case TextEnd(id) | ReasoningEnd(id):
                opened.remove((type(part).__name__[:4], id))
    ends = [part for part in parts if isinstance(part, Finish | Error)]
    assert ends == parts[-1:] or any(isinstance(part, Abort) for part in parts)


def from_objects(events: Events) -> tuple[list[Part], list[str]]:
    """The log of a run whose source gives the events, and whose they were taken for."""
    recogniser = Recogniser(START)
    parts: list[Part] = [START]
    try:
        for event in events:
            parts += recogniser.feed(event)
        parts += recogniser.finish()
    except UnknownItem as error:
        if error.__cause__ is not None:  # raised when it was read, which only an object may do
            raise error.__cause__ from None
        parts += recogniser.feed(Error(error.code, error.message))
    return [decode_part(encode_part(part)) for part in parts], recogniser.families


def from_bytes(chance: random.Random, family: str, events: Events) -> list[Part]:
    texts = [json.dumps(event).encode() for event in events]
    is_lines = FORMS[family] == "lines"
    body = b"".join(text + b"\n" if is_lines else b"data: " + text + b"\n\n" for text in texts)
    found = []
    for cut in (chance.randrange(len(body) + 1), 0):
        recogniser = WireRecogniser(family, START)
        found.append([*recogniser.feed(body[:cut]), *recogniser.feed(body[cut:]), *recogniser.finish()])
    assert coalesce(found[0]) == coalesce(found[1])
    return [START, *found[0]]


def seen_in(name: str, body: bytes) -> Seen:
    """Who comes late has each text in one piece, and of those that grow together one behind the other."""
    seen = read(name, body)
    seen.text, seen.reasoning = "".join(sorted(seen.text)), "".join(sorted(seen.reasoning))
    seen.last_id = ""
    return seen


def play(seed: int) -> None:
    chance = random.Random(seed)
    family = chance.choice(list(STREAMS))
    events = damaged(chance, family)
    if family in FORMS:
        check_form(from_bytes(chance, family, events))
    parts, families = from_objects(events)
    check_form(parts)
    failure = next((Failure("failed", "it did") for part in parts if isinstance(part, Error)), None)
    for name in DIALECTS:
        live, late = told(name, parts, failure), told_late(name, parts, failure)
        if not DIALECTS[name].tells_ends or TOLD_AGAIN.get(name, name) in families:
            continue
        if name == "openai-responses" and _grow_together(parts):
            continue  # whose reader wants them in order
        seen = seen_in(name, live)
        assert seen == seen_in(name, late), name
        assert (seen.error is not None) == (failure is not None) or name == "plain", name


def _grow_together(parts: list[Part]) -> bool:
    opened = 0
    for part in parts:
        opened += isinstance(part, TextStart) - isinstance(part, TextEnd)
        if opened > 1:
            return True
    return False


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_damaged_streams(first: int) -> None:
    for seed in range(first, first + 50):
        try:
            play(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_damaged_streams() -> None:
    for seed in range(400, 40_000):
        try:
            play(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
