"""Who is told of a store's changes; see `Store.watch`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from headwater.model import Change
from headwater.stores.base import Wants, Watcher


def everything(path: str) -> bool:
    """Wants the records of every stream."""
    return True


class Watchers:
    """They come and go in the event loop, where they are told. Any thread may ask what they want."""

    __slots__ = ("_all",)

    def __init__(self) -> None:
        self._all: tuple[tuple[Watcher, Wants], ...] = ()

    def add(self, watcher: Watcher, wants: Wants | None) -> Callable[[], None]:
        """Tell one more; returns the function that ends it."""
        one = (watcher, wants or everything)
        self._all = (*self._all, one)
        return partial(self._remove, one)

    def _remove(self, one: tuple[Watcher, Wants]) -> None:
        left = list(self._all)
        left.remove(one)
        self._all = tuple(left)

    def want(self, path: str) -> bool:
        """Whether somebody wants the records of a stream, and its closure."""
        for _, wants in self._all:  # noqa: SIM110  (a generator costs as much as what is saved)
            if wants(path):
                return True
        return False

    def tell(self, change: Change) -> None:
        """Tell all of them."""
        for watcher, _ in self._all:
            watcher(change)
