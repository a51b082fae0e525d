"""Where logs live. `open_store` picks one by URL; siblings never import each other."""

from headwater.stores.base import (
    Atomic,
    AtOnce,
    Attributing,
    Fallible,
    Measured,
    Posting,
    Store,
    StoreFigures,
    Sweeping,
)
from headwater.stores.registry import open_store

__all__ = [
    "AtOnce",
    "Atomic",
    "Attributing",
    "Fallible",
    "Measured",
    "Posting",
    "Store",
    "StoreFigures",
    "Sweeping",
    "open_store",
]
