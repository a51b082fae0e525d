"""The testing kit: a clock moved by hand, a principal for applications, and the contract that every store keeps.

`headwater.testing.server` is a server for tests of applications, which fails when it is told to.

Rule: nothing here needs pytest; `headwater.testing.stateful` alone needs hypothesis, `headwater.testing.server` the
extra `server`.
"""

from headwater.testing.clock import ManualClock
from headwater.testing.contract import STORE_CHECKS, MakeStore, Reopen, StoreCheck, check_store
from headwater.testing.principal import as_principal

__all__ = ["STORE_CHECKS", "MakeStore", "ManualClock", "Reopen", "StoreCheck", "as_principal", "check_store"]
