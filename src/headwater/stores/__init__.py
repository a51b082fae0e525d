"""Where logs live. `open_store` picks one by URL; siblings never import each other."""

from headwater.stores.base import (
    Atomic,
    Attributing,
    Fallible,
    Measured,
    Posting,
    Prompt,
    Store,
    StoreFigures,
    Sweeping,
)
from headwater.stores.registry import open_store

__all__ = [
    "Atomic",
    "Attributing",
    "Fallible",
    "Measured",
    "Posting",
    "Prompt",
    "Store",
    "StoreFigures",
    "Sweeping",
    "open_store",
]
