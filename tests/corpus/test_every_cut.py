"""Each case cut in two, and a pipeline while commits are slow, at every byte: what `make soak` sends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.corpus.cases import Case, load
from tests.corpus.check import run
from tests.corpus.servers import SERVERS, Target
from tests.corpus.test_corpus import PENDING
from tests.corpus.test_cuts import LENGTH, PIPELINE, cut_at

pytestmark = pytest.mark.soak

CASES = load()
#: Cut at every byte; all others at three places.
THOROUGH = ("framing.toml", "pipelines.toml", "trailers.toml", "upgrades.toml")
#: Longer ones repeat one byte.
MAX_BYTES = 2000


@pytest.mark.timeout(1800)
def test_a_pipeline_cut_anywhere_while_commits_are_slow(target: Callable[[str], Target]) -> None:
    """At every byte, and at every byte and the twentieth behind it."""
    for place in range(1, LENGTH):
        run(PIPELINE, target("serve-sqlite"), cut_at(place))
        run(PIPELINE, target("serve-sqlite"), cut_at(place, place + 20))


def lengths(case: Case) -> int:
    return max(len(exchange.send) for exchange in case.exchanges)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_cut_anywhere(server: str, case: Case, target: Callable[[str], Target]) -> None:
    """Two segments are one."""
    if case.slow or case.whole or (case.name, server) in PENDING or ("*" in case.send and lengths(case) > MAX_BYTES):
        pytest.skip("not sent here")
    if server == "uvicorn" and case.file == "trailers.toml":
        pytest.skip("under uvicorn a trailer counts if it comes before the application runs")
    size = lengths(case) + 80
    places = range(1, size) if case.file in THOROUGH else (size // 5, size // 2, size - size // 5)
    for place in places:
        try:
            # Others close without a word when they have answered before the end of a body.
            run(case, target(server), cut_at(place), may_close=not server.startswith("serve"))
        except AssertionError as error:
            raise AssertionError(f"cut at {place}: {error}") from error
