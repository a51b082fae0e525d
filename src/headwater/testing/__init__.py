"""The testing kit: a clock moved by hand, a principal for applications, and the contract that every store keeps.

Rule: nothing here needs pytest; `headwater.testing.stateful` alone needs hypothesis.
"""

from headwater.testing.clock import ManualClock
from headwater.testing.contract import STORE_CHECKS, MakeStore, Reopen, StoreCheck, check_store
from headwater.testing.principal import as_principal

__all__ = ["STORE_CHECKS", "MakeStore", "ManualClock", "Reopen", "StoreCheck", "as_principal", "check_store"]
