"""What a proof and a reader cost in memory: counted allocations, which a busy machine does not change."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

from tests.conftest import Run
from tests.support.access import SECRET, token

from headwater.http.access.keys import KeySet, make_key
from headwater.http.access.tokens import Tokens
from headwater.hub.access.end import AccessEnd
from headwater.hub.access.principals import Principals
from headwater.hub.access.proven import Proven
from headwater.hub.timers import Timers
from headwater.protocol.access.claims import Issuer
from headwater.protocol.asks import Operation

MANY = 1000
STREAMS = {"read": ["users/{sub}/**", "news/*"], "append": ["rooms/7"]}


class Reader:
    """Of which only the place in the register counts."""

    __slots__ = ()

    def hush(self, end: AccessEnd) -> None: ...

    def end_access(self, end: AccessEnd) -> None: ...

    def tell_expiring(self, at: float) -> None: ...


def taken(do: Callable[[], None]) -> float:
    """Bytes that are allocated and kept, for each of many."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        do()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / MANY
    finally:
        tracemalloc.stop()


def test_a_proof_and_a_reader(run: Run[None]) -> None:
    """A further reader of a proof 0.15 kB; a verified token with three patterns, remembered, asked about a stream and
    read by, 1.5 kB, and its own text is not kept."""

    async def main() -> None:
        tokens = Tokens([KeySet(Issuer(issuer="headwater", audience="headwater"), (make_key("HS256", SECRET),))])
        principals = Principals(Timers())
        # Long, so that one that is kept is seen.
        texts = [token(f"u{number}", streams=STREAMS, jti=f"{number:032x}", more="x" * 2000) for number in range(MANY)]
        readers = [Reader() for _ in range(2 * MANY)]
        first = tokens.verify(token("first", streams=STREAMS))
        assert isinstance(first, Proven)

        def prove() -> None:
            for text, reader in zip(texts, readers, strict=False):
                found = tokens.verify(text.encode().decode())  # a text of its own, as of a request
                assert isinstance(found, Proven)
                assert found.allows(Operation.READ, f"news/{len(text)}")
                principals.enter(found, reader)

        def enter() -> None:
            for reader in readers[MANY:]:
                principals.enter(first, reader)

        assert taken(prove) < 1500
        assert taken(enter) < 150
        assert len(principals) == 2 * MANY

    run(main())
