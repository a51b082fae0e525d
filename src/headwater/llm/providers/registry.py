"""What readers of a run are told, in the words of the client they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from headwater.errors import UnknownDialect
from headwater.llm.parts import Start
from headwater.llm.providers.ag_ui.dialect import AgUi
from headwater.llm.providers.ai_sdk.dialect import AiSdk, AiSdk7
from headwater.llm.providers.anthropic.dialect import Anthropic
from headwater.llm.providers.dialect import Dialect, End, Ending
from headwater.llm.providers.openai.dialect import OpenAI
from headwater.llm.providers.plain.dialect import Plain
from headwater.llm.providers.raw.dialect import RawParts
from headwater.llm.providers.responses.dialect import Responses
from headwater.llm.providers.text.dialect import PlainText

__all__ = ["DIALECTS", "Dialect", "End", "Ending", "dialect"]

#: What makes each dialect, by its name.
DIALECTS: Final[dict[str, Callable[..., Dialect]]] = {
    made.name: made for made in (Plain, OpenAI, Responses, Anthropic, AiSdk, AiSdk7, AgUi, PlainText, RawParts)
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
    made = DIALECTS.get(name)
    if made is None:
        raise UnknownDialect(f"there is no dialect {name[:40]!r}; there are {', '.join(DIALECTS)}")
    return made(fallback, ids=ids)
