"""Where logs live. `open_store` picks one by URL; siblings never import each other."""

from headwater.stores.base import Atomic, Fallible, Measured, Posting, Prompt, Store, StoreFigures, Sweeping
from headwater.stores.registry import open_store

__all__ = ["Atomic", "Fallible", "Measured", "Posting", "Prompt", "Store", "StoreFigures", "Sweeping", "open_store"]
