"""What several tests share."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

# A shell starts background jobs with SIGINT ignored, and so would be every process that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

#: Files that take more than a minute: the longest first, and not all browsers at once.
LONGEST = [
    "conformance/test_conformance.py",
    "browser/test_chat.py",
    "stores/test_stateful.py",
    "crash/test_sigkill.py",
    "browser/test_page.py",
    "llm/clients/test_silence.py",
    "browser/test_overview.py",
    "llm/clients/test_failures.py",
    "browser/test_use_chat.py",
    "asgi/test_handover.py",
    "browser/test_compression.py",
]

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run coroutines to their end, once on asyncio's own loop and once on uvloop."""
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner.run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files run in processes of their own: the longest begin first, so that none is left alone with one at the end."""
    here = Path(__file__).parent
    order = {here / name: number for number, name in enumerate(LONGEST)}
    missing = [path for path in order if not path.is_file()]
    assert not missing, f"LONGEST names what is not there: {missing}"
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (order.get(item.path, len(order)), -tests[item.path], item.path))
