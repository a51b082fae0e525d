"""Stock SDKs of Python and JavaScript through a real proxy: what they give is what the provider gives them directly."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from tests.llm.clients.asking import APIS, LANGUAGES, Asking, headers_of, model_of, run_of
from tests.llm.clients.conftest import Proxies
from tests.llm.clients.live import Client, Seen
from tests.llm.clients.node import Node
from tests.llm.scripted import WORD

WAYS = ["transparent", "run"]
TEXT = "Héllo, wörld! \u2028 😀"
PATIENCE = 60.0

pytestmark = pytest.mark.slow


def watch(proxies: Proxies, model: str, dialect: str) -> Any:
    """A second client of the run: an open answer. The proxy keeps runs apart by the client's key."""
    url = f"{proxies.patient.url}/v1/runs/{run_of(model)}/stream?dialect={dialect}"
    request = urllib.request.Request(url, headers={"authorization": "Bearer key"})
    return urllib.request.urlopen(request, timeout=PATIENCE)


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LANGUAGES)
def asking(request: pytest.FixtureRequest, proxies: Proxies, sdks: Node, api: str) -> Asking:
    return Asking(proxies, sdks, request.param, api)


@pytest.mark.parametrize("behaviour", ["good", "error", "eof", "refused"])
def test_without_a_run_everything_is_as_from_the_provider(asking: Asking, behaviour: str) -> None:
    """Every event, call of a tool, count of tokens and error."""
    assert asking.see("transparent", model_of(behaviour)).facts == asking.see("direct", model_of(behaviour)).facts


@pytest.mark.parametrize("behaviour", ["good", "error", "refused"])
def test_with_a_run_too(asking: Asking, behaviour: str) -> None:
    """The header changes nothing in what the user of an SDK gets."""
    assert asking.see("run", model_of(behaviour)).facts == asking.see("direct", model_of(behaviour)).facts


@pytest.mark.parametrize("way", WAYS)
def test_answers_that_helpers_put_together(proxies: Proxies, sdks: Node, api: str, way: str) -> None:
    """The SDKs' own accumulation, with its calls of tools and tokens, is the same as directly."""

    def values(way: str) -> list[Any]:
        made = Asking(proxies, sdks, "", api)
        one, other = model_of("good"), model_of("good")
        with made.python(way, one) as client:
            return [client.final(one), made.js("final", way, other)]

    found = values(way)
    assert found == values("direct")
    for value in found:
        assert "weather" in json.dumps(value)
        assert "Köln" in json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("way", WAYS)
def test_answers_that_are_not_streamed(proxies: Proxies, sdks: Node, api: str, way: str) -> None:
    """They pass as they are, with the header too."""

    def values(way: str) -> list[Any]:
        made = Asking(proxies, sdks, "", api)
        model = model_of("good")
        with made.python(way, model) as client:
            return [client.whole(model), made.js("whole", way, model)["value"]]

    assert values(way) == values("direct")


@pytest.mark.parametrize("way", WAYS)
def test_a_rate_limit(asking: Asking, proxies: Proxies, way: str) -> None:
    """The SDK sees it as the provider's; one that tries again by itself, as they do, gets the answer, with the same
    run's id too."""
    seen = asking.see(way, model_of("limited"))
    assert seen.facts == asking.see("direct", model_of("limited")).facts
    assert seen.error is not None
    again = asking.see(way, model_of("limited"), retries=2)
    assert (again.text, again.error) == (TEXT, None)


def test_the_head_of_a_rate_limit(proxies: Proxies, api: str) -> None:
    """`retry-after` and all."""
    model = model_of("limited")
    with Client(api, proxies.patient.url, headers_of("run", model)) as client:
        error: Any = client.see(model).error
    assert (error.status_code, error.response.headers["retry-after"]) == (429, "1")


def test_a_run_s_id_for_one_request(proxies: Proxies, api: str) -> None:
    """By `extra_headers`; the provider does not see it."""
    model = model_of("good")
    with Client(api, proxies.patient.url) as client:
        for _ in range(2):
            assert list(client.open(model, headers_of("run", model)))
    assert proxies.provider.asked[model] == 1
    assert "headwater-run" not in proxies.provider.heads[model]


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_a_client_that_is_cut_and_comes_again(proxies: Proxies, sdks: Node, api: str, language: str) -> None:
    """It goes in the middle, and asks the same again: the whole answer, once, and the provider was asked once. A second
    client watches meanwhile, in other words."""
    model = model_of("held")
    asking = Asking(proxies, sdks, language, api)
    assert WORD.decode() in asking.cut(model).text
    with watch(proxies, model, "plain") as live:
        told = b""
        while WORD not in told:
            told += live.readline()
        proxies.provider.release(model)
        again = asking.see("run", model)
        told += live.read()
    assert again.facts == asking.see("direct", model_of("good")).facts
    lines = [line[6:] for line in told.split(b"\n") if line.startswith(b"data: {")]
    assert "".join(json.loads(line).get("content", "") for line in lines) == TEXT
    assert told.endswith(b"data: [DONE]\n\n")
    assert asking.see("run", model).facts == again.facts
    assert proxies.provider.asked[model] == 1


def test_silence_before_the_first_token(proxies: Proxies, api: str) -> None:
    """Longer than anything between would wait: keepalives come all the time, and the SDK passes over them."""
    model = model_of("silent")
    dialect = {"chat": "openai", "responses": "openai-responses", "messages": "anthropic"}[api]
    with Client(api, proxies.patient.url, headers_of("run", model)) as client:
        stream = client.open(model)
        with watch(proxies, model, dialect) as live:
            quiet: list[bytes] = []
            while sum(line.startswith((b":", b"event: ping")) for line in quiet) < 3:
                quiet.append(live.readline())
                assert quiet[-1]
            assert WORD not in b"".join(quiet)
            proxies.provider.release(model)
            assert WORD in live.read()
        seen = Seen()
        for event in stream:
            seen.take(event)
    assert seen.text == TEXT
