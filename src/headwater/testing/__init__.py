"""The testing kit: a clock moved by hand, and the contract that every store keeps.

Rule: nothing here needs pytest; `headwater.testing.stateful` alone needs hypothesis.
"""

from headwater.testing.clock import ManualClock
from headwater.testing.contract import STORE_CHECKS, MakeStore, Reopen, StoreCheck, check_store

__all__ = ["STORE_CHECKS", "MakeStore", "ManualClock", "Reopen", "StoreCheck", "check_store"]
