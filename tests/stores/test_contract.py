"""Every store keeps every promise of the store contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from headwater.testing import STORE_CHECKS, StoreCheck

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.conftest import Backend


@pytest.mark.parametrize("check", [check for check in STORE_CHECKS if not check.durable], ids=lambda check: check.name)
def test_store_keeps_its_promise(check: StoreCheck, backend: Backend, run: Run[None]) -> None:
    """Each promise, on a fresh store, on both event loops."""
    run(check.run(backend.make))


@pytest.mark.parametrize("check", [check for check in STORE_CHECKS if check.durable], ids=lambda check: check.name)
def test_store_survives_a_restart(check: StoreCheck, durable_backend: Backend, run: Run[None]) -> None:
    """Each promise about what a restart leaves, for the stores that keep anything."""
    run(check.run(durable_backend.make, reopen=durable_backend.reopen))
