"""Refusals in the words of the client that asked: the status is HTTP's, the body is what its SDK reads.

Each provider has its own (`providers/*/refusal.py`); without one it is a JSON problem, as everywhere in Headwater.
"""

from __future__ import annotations

import msgspec

from headwater.errors import HeadwaterError
from headwater.llm.providers import registry
from headwater.protocol import names, responses
from headwater.protocol.responses import Answer


def refusal(error: HeadwaterError, dialect: str) -> Answer:
    """An error as the answer to a request in a dialect; of a name that is none, as a problem."""
    plain, told = responses.failed(error), registry.refusal(error, dialect)
    if told is None:
        return plain
    headers = [(name, told.media_type if name == names.CONTENT_TYPE else field) for name, field in plain.headers]
    return msgspec.structs.replace(plain, headers=headers, body=told.body)
