"""SDKs of Python and JavaScript, asked the same directly, through the proxy, and through it as a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from tests.llm.clients.conftest import Proxies
from tests.llm.clients.live import Client, Seen
from tests.llm.clients.node import Node
from tests.llm.scripted import WORD, Scripted

APIS = ["chat", "responses", "messages"]
LANGUAGES = ["python", "python, async", "javascript"]
_models = count()


def model_of(behaviour: str) -> str:
    return f"{behaviour}/{next(_models)}"


def run_of(model: str) -> str:
    return model.replace("/", "-")


def headers_of(way: str, model: str) -> dict[str, str]:
    return {"Headwater-Run": run_of(model)} if way == "run" else {}


def releasing(provider: Scripted, model: str) -> Callable[[str], None]:
    """Lets the model go on when the word was read."""
    word = WORD.decode()
    return lambda text: provider.release(model) if word in text else None


class Asking:
    """One SDK, asked the same directly and through the proxy.

    Args:
        language: `python`, `python, async` or `javascript`.
    """

    def __init__(self, proxies: Proxies, node: Node, language: str, api: str) -> None:
        self._proxies = proxies
        self._node = node
        self._language = language
        self._api = api

    def js(self, do: str, way: str, model: str, **more: Any) -> Any:
        behaviour = model.partition("/")[0]
        url = self._proxies.url(way, behaviour)
        return self._node.do(do, api=self._api, url=url, model=model, headers=headers_of(way, model), **more)

    def python(self, way: str, model: str, retries: int = 0) -> Client:
        behaviour = model.partition("/")[0]
        return Client(self._api, self._proxies.url(way, behaviour), headers_of(way, model), retries)

    def cut(self, model: str) -> Seen:
        """Read until the word, and go."""
        if self._language == "javascript":
            return Seen(**self.js("stream", "run", model, cut=True))
        seen = Seen()
        with self.python("run", model) as client:
            for event in client.open(model):
                seen.take(event)
                if WORD.decode() in seen.text:
                    break
        return seen

    def see(self, way: str, model: str, retries: int = 0) -> Seen:
        provider = self._proxies.provider
        if self._language == "javascript":
            release = f"{provider.url}/release/{model}"
            return Seen(**self.js("stream", way, model, release=release, retries=retries))
        on_text = releasing(provider, model)
        with self.python(way, model, retries) as client:
            if self._language == "python":
                return client.see(model, on_text)
            return asyncio.run(client.asee(model, on_text))
