"""The Agent-User Interaction Protocol.

source   how it is read
dialect  how it is told
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.ag_ui.dialect import AgUi
from headwater.llm.providers.ag_ui.source import AgUiVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=AgUiVoice, dialects=(AgUi,))
