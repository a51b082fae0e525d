"""LangChain and LangGraph.

source   how they are read
message  one message of a model, as parts
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.langchain.source import LangChainVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (
    Items(
        "chunks and messages of LangChain",
        "an `ai` message is the assistant's, a `tool` message its call's result; others are the request",
    ),
    Items(
        "LangGraph: `messages`, `updates`, `values`, `custom`, several modes, subgraphs, `astream_events`",
        "a message is said once, whatever the modes; the first of the `values` is what was asked; an interrupt is "
        "data with the name `interrupt`",
    ),
)

PROVIDER: Final = Provider(source=LangChainVoice, items=_ITEMS)
