"""Servers that are started once, when the first case needs them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.corpus.servers import Target, serving


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Target]]:
    """Gives the server of a name, running."""
    running: dict[str, Target] = {}
    with contextlib.ExitStack() as stack:

        def get(name: str) -> Target:
            if name not in running:
                running[name] = stack.enter_context(serving(name, tmp_path_factory.mktemp(name)))
            return running[name]

        yield get


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Four thousand tests that `make test` would collect in each of its processes and not run."""
    return True if collection_path.name == "test_every_cut.py" and config.option.markexpr == "not soak" else None
