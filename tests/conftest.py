"""What several tests share."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
import uvloop
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent

# A shell starts background jobs with SIGINT ignored, and so would be every process that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is not a failure: no example has a deadline, and examples may be slow to make.
settings.register_profile("headwater", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headwater")

#: Files that take more than a minute: the longest first, and not all browsers at once.
LONGEST = [
    "corpus/test_corpus.py",
    "conformance/test_conformance.py",
    "browser/test_chat.py",
    "stores/test_stateful.py",
    "crash/test_sigkill.py",
    "browser/test_page.py",
    "llm/clients/test_silence.py",
    "browser/test_overview.py",
    "llm/clients/test_failures.py",
    "browser/test_use_chat.py",
    "asgi/test_uvicorn.py",
    "browser/test_compression.py",
    "typescript/test_typescript.py",
    "client/test_scenarios.py",
    "docs/test_add_a_provider.py",
    "http/access/attacks/test_holes.py",
    "browser/test_use_chat_control.py",
    "browser/test_typescript_tabs.py",
    "browser/test_access.py",
    "browser/test_other_browsers.py",
    "llm/judge/test_judge.py",
]

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture(scope="session", autouse=True)
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One certificate authority that nobody uses: each HTTP client and each process reads the file, and to read the
    system's took 50 ms of CPU. Nobody whom the tests ask has a public certificate."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


#: Files and folders of which `make test` runs the coroutines on one loop, `make soak` on both. Sockets, transports,
#: timers, and what threads hand to a loop can differ from loop to loop; what only awaits cannot. Of stores and of the
#: proxy it is the loop of `headwater serve` and `headwater llm proxy`, where they run; of a hub, its application and
#: its runs asyncio's, which a mounted hub gets, because the tests of real servers have them on uvloop.
ONE_LOOP = {
    "scenarios": "asyncio",
    "http/access/attacks": "uvloop",
    "client/test_scenarios.py": "asyncio",
    "client/test_outbox.py": "asyncio",
    "client/test_toxic.py": "asyncio",
    "stores": "uvloop",
    "llm/proxy/test_access.py": "uvloop",
    "llm/http": "asyncio",
    "llm/runs": "asyncio",
    "hub/test_arguments.py": "asyncio",
    "hub/test_catch_up.py": "asyncio",
    "hub/test_engine.py": "asyncio",
    "hub/test_reads.py": "asyncio",
    "hub/test_places.py": "asyncio",
    "hub/test_stats.py": "asyncio",
    "hub/test_writer.py": "asyncio",
    "asgi/test_app.py": "asyncio",
    "asgi/test_figures.py": "asyncio",
    "asgi/test_metrics.py": "asyncio",
    "asgi/test_page.py": "asyncio",
    "asgi/test_pages.py": "asyncio",
    "asgi/test_private.py": "asyncio",
    "asgi/test_streams.py": "asyncio",
    "asgi/test_together.py": "asyncio",
    "asgi/test_waiting.py": "asyncio",
    "asgi/test_words.py": "asyncio",
}
#: Below these, but on both: threads that wake the loop, and timers.
BOTH_LOOPS = [
    "stores/sqlite/test_batches.py",
    "stores/sqlite/test_halt.py",
    "stores/sqlite/test_lock.py",
    "llm/runs/test_leases.py",
    "llm/runs/test_pacing.py",
    "llm/runs/test_pump.py",
    "llm/runs/test_sources.py",
]


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run coroutines to their end, once on asyncio's own loop and once on uvloop, but for what `ONE_LOOP` names."""
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner.run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The loops of `run`."""
    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", list(_loops(Path(metafunc.module.__file__ or ""))), indirect=True)


def _loops(path: Path) -> Iterator[ParameterSet]:
    one = next((loop for place, loop in ONE_LOOP.items() if path.is_relative_to(HERE / place)), None)
    if any(path == HERE / name for name in BOTH_LOOPS):
        one = None
    for loop in LOOPS:
        yield pytest.param(loop, marks=() if one in (None, loop) else pytest.mark.soak)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files run in processes of their own: the longest begin first, so that none is left alone with one at the end."""
    order = {HERE / name: number for number, name in enumerate(LONGEST)}
    missing = [name for name in (*LONGEST, *ONE_LOOP, *BOTH_LOOPS) if not (HERE / name).exists()]
    assert not missing, f"this file names what is not there: {missing}"
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (order.get(item.path, len(order)), -tests[item.path], item.path))
