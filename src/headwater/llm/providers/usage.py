"""Tokens, in the words of each dialect."""

from __future__ import annotations

from typing import Final

from headwater.llm.parts import Json, Usage

_CACHED_OF_OTHERS = ("input_token_details.cache_read", "cachedContentTokenCount", "cacheReadInputTokens")
_THOUGHT_OF_OTHERS = ("output_token_details.reasoning", "thoughtsTokenCount")
#: Where sources say how many tokens came from a cache, and how many were thinking.
_CACHED = (
    "prompt_tokens_details.cached_tokens",
    "input_tokens_details.cached_tokens",
    "cache_read_input_tokens",
    *_CACHED_OF_OTHERS,
)
_THOUGHT = ("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens", *_THOUGHT_OF_OTHERS)


def _detail(usage: Usage, names: tuple[str, ...]) -> int:
    return next((value for name in names if isinstance(value := (usage.details or {}).get(name), int)), 0)


def _own(usage: Usage, dialect: str, needed: str) -> Json | None:
    """The provider's own object, if it is of this dialect and has what clients need."""
    found = (usage.native or {}).get(dialect)
    return found if isinstance(found, dict) and needed in found else None


def openai_usage(usage: Usage) -> Json:
    """As in chat completions; of a source of this dialect, its own."""
    own = _own(usage, "openai", "prompt_tokens")
    if own is not None:
        return own
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": _detail(usage, _CACHED)},
        "completion_tokens_details": {"reasoning_tokens": _detail(usage, _THOUGHT)},
    }


def responses_usage(usage: Usage) -> Json | None:
    """As in Responses, of a source of this dialect its own; None: nobody said it."""
    if usage == Usage():
        return None
    own = _own(usage, "openai-responses", "input_tokens")
    if own is not None:
        return own
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": _detail(usage, _CACHED)},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": _detail(usage, _THOUGHT)},
        "total_tokens": read + written,
    }


#: `Usage.native` of what Anthropic says at the end; at the beginning it says more.
LAST_USAGE: Final = "anthropic-last"


def anthropic_usage(usage: Usage, native: str = "anthropic") -> Json:
    """As in messages, of a source of this dialect its own; else with the cache's figures, if they have these names."""
    own = _own(usage, native, "output_tokens")
    if own is not None:
        return own
    details = {key: value for key, value in (usage.details or {}).items() if key.startswith("cache_")}
    plain = {key: value for key, value in details.items() if "." not in key}
    return {"input_tokens": usage.input_tokens or 0, **plain, "output_tokens": usage.output_tokens or 0}


def camel_usage(usage: Usage) -> Json | None:
    """As the AI SDK and AG-UI name them; None: nobody said it."""
    if usage == Usage():
        return None
    found = {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": (usage.input_tokens or 0) + (usage.output_tokens or 0),
        "reasoningTokens": _detail(usage, _THOUGHT) or None,
        "cachedInputTokens": _detail(usage, _CACHED) or None,
    }
    return {key: value for key, value in found.items() if value is not None}
