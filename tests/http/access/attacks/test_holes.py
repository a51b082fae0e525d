"""Each deliberate hole is caught by tests that are there for it.

Rule: a hole is made in this process, and the tests are called as they stand; at least one of them must fail. Without it
      all of them pass, which the suite shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.http.access import (
    test_application,
    test_bounds,
    test_ends,
    test_key_changes,
    test_live,
    test_matrix,
    test_tickets,
    test_tokens,
)
from tests.http.access.attacks import (
    test_before_the_proof,
    test_lanes,
    test_oracles,
    test_others_names,
    test_paths,
    test_revoked_meanwhile,
    test_subjects,
)
from tests.http.access.attacks.holes import HOLES
from tests.protocol.access import test_claims

from headwater.errors import HeadwaterError

#: What a test that fails raises.
FAILS = (
    AssertionError,
    TimeoutError,
    EOFError,
    OSError,
    KeyError,
    HeadwaterError,
    ExceptionGroup,
    pytest.fail.Exception,
)
#: Seconds that one may wait for what a hole keeps from coming.
PATIENCE = 2.0

MANY = "-/many?stream=mine&stream={}&live=false"

Call = Callable[..., None]


def catchers(run: Any, folder: Path, caplog: Any, patch: pytest.MonkeyPatch) -> dict[str, Call]:
    """By the hole, what catches it."""
    matrix, live, late = test_matrix, test_live, test_revoked_meanwhile
    message = partial(matrix.test_every_message_by_every_proof, run)
    route = partial(matrix.test_every_route_by_every_proof, run)
    body = partial(late.test_a_slow_body, run, folder, "POST", f"{live.ROOT}a", late.JSON, b'"late"')
    token_ = partial(test_tokens.test_attacks, caplog=caplog)
    return {
        "http does not ask": partial(route, "asgi", "read"),
        "a message of a websocket does not ask": partial(message, "append"),
        "a stream's own websocket appends for who may read": partial(test_lanes.test_own_url, run, folder),
        "head asks for nothing": partial(route, "socket", "head"),
        "-/many asks for the first stream only": partial(
            test_oracles.test_one_of_several, run, folder, MANY, "text/event-stream"
        ),
        "a pattern is asked about when it is opened, and not for each stream": partial(
            test_oracles.test_a_pattern_that_is_wider_than_the_grant, run, folder
        ),
        "of a fork the source is not asked about": partial(test_oracles.test_no_oracle, run, folder, "fork from it"),
        "a decision is remembered": partial(test_lanes.test_a_connection_that_is_kept, run, folder),
        "the store is asked before it is decided": partial(test_oracles.test_no_oracle, run, folder, "read"),
        "a body is not decided about when it is whole": body,
        "keys that are gone still verify what was verified before": (
            test_tokens.test_secrets_overlap_while_they_are_exchanged
        ),
        "a pattern is a prefix": partial(test_paths.test_spellings, run, "asgi", "acl/a;x"),
        "an asterisk is several segments": partial(test_application.test_who_may_what, run),
        "what a claim says is read as a pattern": partial(
            test_subjects.test_over_http, run, "asgi", test_subjects.TOKENS["sub '*'"], caplog
        ),
        "a grant that is wrong is left out, and the others hold": partial(
            test_subjects.test_over_http, run, "asgi", test_subjects.TOKENS["one of ten"], caplog
        ),
        "an issuer has no ceiling": test_claims.test_an_issuer_grants_no_more_than_it_may,
        "two spellings of one name are two names": partial(test_paths.test_two_that_look_the_same, run, folder),
        "what the program keeps for itself is served": partial(
            test_paths.test_what_the_program_keeps_for_itself, run, folder, "runs/r1"
        ),
        "a key's name chooses among the keys of all issuers": (
            test_tokens.test_the_name_of_a_key_chooses_among_its_issuers_own
        ),
        "who shows a bad token is told why": partial(token_, test_tokens.ATTACKS["no exp"]),
        "the log has the token": partial(token_, test_tokens.ATTACKS["another secret"]),
        "of a claim that is there twice the last one counts": partial(token_, test_tokens.ATTACKS["sub twice"]),
        "a token may be good for ever": partial(token_, test_tokens.ATTACKS["in ten years"]),
        "a bad token where everybody may is nobody's": partial(
            test_lanes.test_a_bad_proof_is_not_passed_over, run, folder
        ),
        "bad tokens are verified without end": test_tokens.test_a_flood_of_bad_tokens,
        "who was verified before is refused with those who flood": test_tokens.test_a_flood_of_bad_tokens,
        "published keys are followed to where they are said to be": partial(
            test_before_the_proof.test_an_issuers_keys, patch, test_before_the_proof.another
        ),
        "published keys may be of any size": partial(
            test_before_the_proof.test_an_issuers_keys, patch, test_before_the_proof.large
        ),
        "what expires goes on": partial(live.test_expired, run, folder, "long-poll"),
        "a refresh is of a subject: whoever else has its old token goes on": partial(
            live.test_a_refresh_is_of_one_connection, run, folder
        ),
        "a refresh leaves what is read as it is": partial(live.test_a_refresh_is_a_new_decision, run, folder),
        "another subject may take a connection over": partial(live.test_a_refresh_is_a_new_decision, run, folder),
        "who may less than before reads as before": partial(test_application.test_asked_again, run, patch, "less"),
        "a revocation ends nobody who reads": partial(live.test_revoked, run, folder, "events"),
        "who waits for the turn to end reads on": partial(
            test_ends.test_nothing_comes_while_others_end, run, folder, patch, "ndjson"
        ),
        "a key that is gone ends nobody who reads": partial(
            test_key_changes.test_a_reader, run, folder, "the key is gone"
        ),
        "what an issuer may grant is asked of new tokens alone": partial(
            test_key_changes.test_a_reader, run, folder, "the issuer may less"
        ),
        "a connection that reads nothing outlives its proof": partial(
            late.test_a_pattern_meets_a_new_stream, run, folder, "websocket", "revoked"
        ),
        "a revocation is forgotten with the process": partial(late.test_who_comes_back, run, folder),
        "a token of the same second as its revocation is good": partial(late.test_who_comes_back, run, folder),
        "another process's revocation is not heard of": partial(late.test_revoked_elsewhere, run, folder),
        "a full socket gives what it holds all the same": partial(live.test_a_full_socket_is_cut, run, folder),
        "a long body is given to its end": partial(live.test_a_long_body_is_cut, run, folder),
        "a ticket may be used twice": partial(test_tickets.test_a_ticket, run, folder, "own"),
        "a member is who it says to be": partial(test_others_names.test_nobody_is_there_as_somebody_else, run, folder),
        "two issuers with one name are one member": partial(
            test_others_names.test_two_issuers_with_one_name, run, folder, test_others_names.of_two(folder)
        ),
        "before hello a message may be as large as any": partial(
            test_before_the_proof.test_a_flood_before_hello, run, folder, "one that ends"
        ),
        "rates are of a connection's port": partial(
            test_bounds.test_one_address, run, folder, "append", "10.0.0.1", "10.0.0.2"
        ),
    }


@pytest.fixture
def once() -> Iterator[Any]:
    """As `run`, for what is cut where it stands."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_is_caught(
    once: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By the test that names it."""
    real = asyncio.timeout
    monkeypatch.setattr(asyncio, "timeout", lambda delay: real(None if delay is None else min(delay, PATIENCE)))
    call = catchers(once, tmp_path, caplog, monkeypatch)[name]
    HOLES[name](monkeypatch)
    with pytest.raises(FAILS):
        call()


def test_there_are_enough() -> None:
    """And each has its test."""
    assert len(HOLES) >= 20
