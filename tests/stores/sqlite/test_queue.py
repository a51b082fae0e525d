"""Batches: bounded, small commands before many large ones, and each stream in its order."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.ledger import Append
from headwater.stores.sqlite.commands import Command, Posted
from headwater.stores.sqlite.queue import LARGE_BATCH_BYTES, MAX_BYTES, MAX_COMMANDS, SMALL_BYTES, Queue

SMALL, LARGE = SMALL_BYTES, SMALL_BYTES + 1
SIZES = [1, SMALL, LARGE, LARGE_BATCH_BYTES]


def posted(path: str, size: int) -> Posted:
    return Posted(path, Append(), (0.0, 0.0), lambda outcome: None, size)


def taken(queue: Queue) -> list[list[Command]]:
    batches = []
    while queue:
        batches.append(queue.take())
    return batches


def test_small_ones_are_one_batch_up_to_its_limits() -> None:
    """Commands and bytes; what is over either is the next batch."""
    queue = Queue()
    queue.add([posted("a", 1) for _ in range(MAX_COMMANDS + 1)])
    assert [len(batch) for batch in taken(queue)] == [MAX_COMMANDS, 1]
    queue.add([posted("a", SMALL) for _ in range(MAX_BYTES // SMALL + 1)])
    assert [len(batch) for batch in taken(queue)] == [MAX_BYTES // SMALL, 1]
    assert not queue.take()


def test_a_small_one_waits_for_one_batch_of_large_ones_at_most() -> None:
    """However many large ones came before it."""
    queue = Queue()
    queue.add([posted(f"large {number}", LARGE_BATCH_BYTES) for number in range(8)])
    assert [command.size for command in queue.take()] == [LARGE_BATCH_BYTES]
    for _ in range(3):
        queue.add([posted("small", 1)])
        assert [command.size for command in queue.take()] == [1]
        assert [command.size for command in queue.take()] == [LARGE_BATCH_BYTES]


def test_a_large_one_is_never_left_out_for_ever() -> None:
    """Small ones that keep coming take every second batch."""
    queue = Queue()
    queue.add([posted("large", MAX_BYTES * 2)])
    queue.add([posted("small", 1)])
    first = queue.take()
    queue.add([posted("small", 1)])
    assert {command.size for command in [*first, *queue.take()]} == {1, MAX_BYTES * 2}


def test_what_is_given_back_comes_first() -> None:
    """Commands of a batch that ended early."""
    queue = Queue()
    queue.add([posted("a", number) for number in range(1, 6)])
    batch = queue.take()
    queue.add([posted("a", 6)])
    queue.give_back(batch[2:])
    assert [command.size for command in queue.take()] == [3, 4, 5, 6]


@given(
    rounds=st.lists(
        st.lists(
            st.tuples(st.sampled_from("abcd"), st.sampled_from([1, SMALL, LARGE, LARGE_BATCH_BYTES])), max_size=12
        ),
        max_size=6,
    )
)
def test_each_stream_keeps_its_order_and_nothing_is_lost(rounds: list[list[tuple[str, int]]]) -> None:
    """Whatever comes while batches are taken."""
    queue = Queue()
    sent: defaultdict[str, list[float]] = defaultdict(list)
    got: defaultdict[str, list[float]] = defaultdict(list)

    def take(batch: list[Command]) -> None:
        for command in batch:
            assert isinstance(command, Posted)
            got[command.path].append(command.now[0])

    number = 0
    for commands in rounds:
        for path, size in commands:
            number += 1
            queue.add([Posted(path, Append(), (float(number), 0.0), lambda outcome: None, size)])
            sent[path].append(float(number))
        take(queue.take())
    for batch in taken(queue):
        assert batch
        take(batch)
    assert got == sent
