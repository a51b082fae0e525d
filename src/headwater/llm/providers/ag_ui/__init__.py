"""The Agent-User Interaction Protocol.

source   how it is read
dialect  how it is told
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.ag_ui.dialect import AgUi
from headwater.llm.providers.ag_ui.source import AgUiVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (
    Items(
        "events of AG-UI, also those of Pydantic AI's adapter",
        "a message of another role is not the assistant's",
        "`RUN_FINISHED`",
    ),
)

PROVIDER: Final = Provider(source=AgUiVoice, items=_ITEMS, dialects=(AgUi,))
