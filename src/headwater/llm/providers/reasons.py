"""Why a model stopped, in the words of each provider."""

from __future__ import annotations

from typing import Final

from headwater.llm.parts import FinishReason

#: Of OpenAI's chat completions.
OPENAI_REASONS: Final = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}
#: Of Anthropic's messages.
ANTHROPIC_REASONS: Final = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "pause_turn": FinishReason.OTHER,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
#: Of all, in lower case.
_REASONS: Final = {
    **ANTHROPIC_REASONS,
    **OPENAI_REASONS,
    "complete": FinishReason.STOP,
    "tool_call": FinishReason.TOOL_CALLS,
    **dict.fromkeys(
        (
            *("safety", "image_safety", "content_filtered", "guardrail_intervened", "prohibited_content"),
            *("blocklist", "recitation", "spii", "model_armor", "error_toxic"),
        ),
        FinishReason.CONTENT_FILTER,
    ),
}


def reason_of(word: str, *, has_called: bool = False) -> FinishReason:
    """Why a model stopped, by the word of any provider.

    Args:
        word: in any case.
        has_called: it waits for the result of a call, which some providers do not say.
    """
    found = _REASONS.get(word.lower(), FinishReason.OTHER)
    return FinishReason.TOOL_CALLS if has_called and found is FinishReason.STOP else found
