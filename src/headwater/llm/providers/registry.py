"""All providers: a line each, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from headwater.errors import HeadwaterError, UnknownDialect
from headwater.llm.parts import Error, Start
from headwater.llm.providers.dialect import Dialect, End, Ending
from headwater.llm.providers.provider import Endpoint, Provider, Refusal
from headwater.llm.providers.source import Voice

__all__ = ["DIALECTS", "PROVIDERS", "VOICES", "Dialect", "End", "Ending", "dialect"]

#: The folders of the providers. Whose an item is, they are asked in this order.
FOLDERS: Final = (
    "plain",
    "openai",
    "responses",
    "anthropic",
    "ai_sdk",
    "ag_ui",
    "gemini",
    "ollama",
    "text",
    "raw",
    "pydantic_ai",
    "langchain",
    "openai_agents",
    "bedrock",
    "mistral",
    "llama_index",
    "cohere",
    "xai",
    "mistral_conversations",
)

PROVIDERS: Final[tuple[Provider, ...]] = tuple(
    import_module(f"headwater.llm.providers.{folder}").PROVIDER for folder in FOLDERS
)
#: What makes each dialect, by its name.
DIALECTS: Final[dict[str, type[Dialect]]] = {made.name: made for provider in PROVIDERS for made in provider.dialects}
#: What reads each family, by its name, in the order in which they are asked.
VOICES: Final[dict[str, type[Voice]]] = {
    provider.source.dialect: provider.source for provider in PROVIDERS if provider.source is not None
}
_REFUSALS: Final[dict[str, Callable[[HeadwaterError], Refusal]]] = {
    made.name: provider.refuse for provider in PROVIDERS for made in provider.dialects if provider.refuse is not None
}


def dialect(name: str, fallback: Start | None = None, *, ids: bool = True) -> Dialect:
    """A dialect that has told nothing yet.

    Args:
        name: as in `DIALECTS`.
        fallback: what to tell about the message where the log does not say it.
        ids: whether events carry the offset to come back with.

    Raises:
        UnknownDialect: there is none of this name.
    """
    made: Callable[..., Dialect] | None = DIALECTS.get(name)
    if made is None:
        raise UnknownDialect(f"there is no dialect {name[:40]!r}; there are {', '.join(DIALECTS)}")
    return made(fallback, ids=ids)


def family_of(item: Any, spoken: str = "") -> str:
    """The family that an item is of: each is asked in turn; empty: nobody knows it.

    Args:
        item: as the source gave it, or its fields as a dict.
        spoken: the family that the source has spoken last.
    """
    return next((name for name, voice in VOICES.items() if voice.knows(item, spoken)), "")


def refusal(error: HeadwaterError, dialect: str) -> Refusal | None:
    """An error in the words of a dialect; None: it has none of its own."""
    refuse = _REFUSALS.get(dialect)
    return None if refuse is None else refuse(error)


def error_within_answer(error: Exception) -> Error | None:
    """The error that a provider has sent in an answer that had begun; None: the exception tells none.

    A refusal of the request is another one: its text may show a key.
    """
    found = (provider.raised(error) for provider in PROVIDERS if provider.raised is not None)
    return next((said for said in found if said is not None), None)


def endpoint_of(path: str) -> Endpoint | None:
    """Where a provider is asked for a response; None: nothing is known of the path."""
    endpoints = (endpoint for provider in PROVIDERS for endpoint in provider.endpoints)
    return next((endpoint for endpoint in endpoints if endpoint.path.search(path)), None)
