"""Sources of any kind become parts."""

from headwater.llm.recognise.recogniser import TRUNCATED, Recogniser
from headwater.llm.recognise.sse import READABLE, SseRecogniser
from headwater.llm.recognise.translator import Translator

__all__ = ["READABLE", "TRUNCATED", "Recogniser", "SseRecogniser", "Translator"]
