"""The store contract: every promise of `headwater.stores.base`, for any store, one chapter a module.

Rule: the checks know nothing but the `Store` protocol. Offsets are opaque to them: compared as text, never read.
"""

from __future__ import annotations

from typing import Final

from headwater.testing.contract import (
    appends,
    attribution,
    closes,
    concurrency,
    conditions,
    creates,
    deletes,
    expiry,
    first_appends,
    forks,
    kept,
    lineage,
    lists,
    pages,
    producers,
    reads,
    retention,
    survival,
    times,
    together,
    watch,
)
from headwater.testing.contract.checks import StoreCheck
from headwater.testing.contract.trial import MakeStore, Reopen

__all__ = ["STORE_CHECKS", "MakeStore", "Reopen", "StoreCheck", "check_store"]

#: Every check, to parametrize a test suite with; `name` makes a readable id.
STORE_CHECKS: Final[tuple[StoreCheck, ...]] = tuple(
    check
    for chapter in (
        creates.chapter,
        appends.chapter,
        first_appends.chapter,
        closes.chapter,
        together.chapter,
        producers.chapter,
        conditions.chapter,
        reads.chapter,
        pages.chapter,
        deletes.chapter,
        forks.chapter,
        kept.chapter,
        lineage.chapter,
        expiry.chapter,
        retention.chapter,
        lists.chapter,
        times.chapter,
        attribution.chapter,
        watch.chapter,
        concurrency.chapter,
        survival.chapter,
    )
    for check in chapter.checks
)


async def check_store(make_store: MakeStore, *, reopen: Reopen | None = None) -> None:
    """Try every promise, each on a fresh store.

    Args:
        make_store: gives a new store without streams, not yet opened, that uses the given clock.
        reopen: gives another store over the data of a closed one; None: the store keeps nothing, and the promises
            about restarts are left out.

    Raises:
        AssertionError: promises are broken; the message lists them, the cause is a group of the failures.
    """
    failures: list[Exception] = []
    broken: list[str] = []
    for check in STORE_CHECKS:
        if check.durable and reopen is None:
            continue
        try:
            await check.run(make_store, reopen=reopen)
        except Exception as failure:
            failures.append(failure)
            broken.append(f"{check.name}: {check.promise}\n    {failure or type(failure).__name__}")
    if failures:
        summary = f"{len(failures)} of {len(STORE_CHECKS)} promises are broken:\n" + "\n".join(broken)
        raise AssertionError(summary) from ExceptionGroup("broken promises", failures)
