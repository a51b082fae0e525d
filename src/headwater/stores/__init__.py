"""Where logs live. `open_store` picks one by URL; siblings never import each other."""

from headwater.stores.base import Store, Sweeping
from headwater.stores.registry import open_store

__all__ = ["Store", "Sweeping", "open_store"]
