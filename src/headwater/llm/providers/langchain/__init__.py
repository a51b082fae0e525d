"""LangChain and LangGraph.

source   how they are read
message  one message of a model, as parts
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.langchain.source import LangChainVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=LangChainVoice)
