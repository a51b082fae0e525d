"""What was expected beside what came: a sentence for each difference."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

from conformance.case import Asked, Case
from conformance.origin import Truth
from conformance.scenario import Expect

#: Milliseconds of the client's clock over which `pace` is counted.
_MINUTE: Final = 60_000.0
#: Transports that tell the offset of every record.
_EXACT: Final = ("sse", "ndjson", "websocket")


def differences(
    case: Case, result: dict[str, Any], truth: Sequence[Truth] | None, closed: str, *, has_clock: bool
) -> list[str]:
    """All that is wrong with a run; empty: it is as it must be.

    Args:
        case: the run, with what was asked of the server.
        result: of the adapter.
        truth: what the stream holds now; None: there is none.
        closed: `closed` if the stream is, or the code of its failure; empty: it is open.
        has_clock: the client reports its pauses.
    """
    expect = case.scenario.expect
    found = [
        *_counts(expect, case.asked),
        *_sent(expect, case.asked),
        *_stored(expect, truth),
    ]
    if expect.closed is not None and closed != expect.closed:
        found.append(f"the stream is {closed or 'open'}, expected {expect.closed}")
    if case.scenario.kind == "follow":
        found += [*_records(expect, result), *_end(expect, result.get("end", {})), *_gaps(expect, result, truth or ())]
        found += _places(result, truth or (), case)
    else:
        found += _outcomes(expect, result.get("outcomes", []))
    if has_clock:
        found += [*_pauses(expect, result.get("pauses", [])), *_pace(expect, case.asked, result.get("pauses", []))]
    return found


def _counts(expect: Expect, asked: Sequence[Asked]) -> Iterator[str]:
    counted = {
        "requests": (expect.requests, [each for each in asked if each.is_reading]),
        "all requests": (expect.all, list(asked)),
        "POSTs": (expect.posts, [each for each in asked if each.method == "POST"]),
    }
    for what, (bounds, those) in counted.items():
        if bounds is not None and not bounds[0] <= len(those) <= bounds[1]:
            yield f"{what}: {len(those)}, expected {_range(*bounds)}"


def _sent(expect: Expect, asked: Sequence[Asked]) -> Iterator[str]:
    reading = [each for each in asked if each.is_reading] or list(asked)
    for number, sent in enumerate(expect.sent or [], 1):
        if sent is None:
            continue
        if number > len(reading):
            yield f"request {number} did not come"
            continue
        one = reading[number - 1]
        for what, wanted, there in (("header", sent.headers, one.headers), ("query", sent.query, one.query)):
            for name, value in wanted.items():
                if there.get(name.lower() if what == "header" else name) != (value or None):
                    yield f"request {number}: {what} {name} is {there.get(name)!r}, expected {value!r}"


def _stored(expect: Expect, truth: Sequence[Truth] | None) -> Iterator[str]:
    if expect.stored is not None:
        held = None if truth is None else [each.data for each in truth]
        if held != expect.stored:
            yield f"the stream holds {_short(held)}, expected {_short(expect.stored)}"


def _records(expect: Expect, result: dict[str, Any]) -> Iterator[str]:
    got = [each["data"] for each in result.get("records", [])]
    if expect.records is not None and got != expect.records:
        yield f"records: {_short(got)}, expected {_short(expect.records)}"
    if expect.joined is not None and (joined := _joined(got)) != expect.joined:
        yield f"all together: {_short(joined)}, expected {_short(expect.joined)}"
    if expect.dated:
        times = [each.get("at") for each in result.get("records", [])]
        if not all(isinstance(at, int | float) and at > 0 for at in times):
            yield f"times: {_short(times)}, expected one of each record"
        elif times != sorted(times):
            yield f"times: {_short(times)}, expected none to go back"


def _joined(records: Sequence[Any]) -> Any:
    if all(isinstance(each, str) for each in records):
        return "".join(records)
    data = b"".join(base64.b64decode(each["base64"]) for each in records)
    return {"base64": base64.b64encode(data).decode()}


def _places(result: dict[str, Any], truth: Sequence[Truth], case: Case) -> Iterator[str]:
    """No offset goes back, and each is the server's."""
    is_exact = case.transport in _EXACT and case.scenario.command.get("live", True)
    known = {each.offset: each.data for each in truth if each.offset is not None}
    last = ""
    for record in result.get("records", []):
        offset = record.get("offset")
        if offset is None:
            if is_exact:
                yield f"no offset beside {_short(record['data'])}"
            continue
        if offset < last or (offset == last and is_exact):
            yield f"the offset {offset} comes after {last}"
        last = offset
        # Bytes and text may be told joined, or in other pieces.
        is_record = is_exact and offset in known and case.kept.is_json
        if is_record and known[offset] != record["data"]:
            yield f"{_short(record['data'])} has the offset of {_short(known[offset])}"


def _end(expect: Expect, end: dict[str, Any]) -> Iterator[str]:
    for name, wanted in (expect.end or {}).items():
        is_fine = end.get(name) in wanted if isinstance(wanted, list) else end.get(name) == wanted
        if not is_fine:
            yield f"end: {name} is {end.get(name)!r}, expected {wanted!r} ({end})"


def _gaps(expect: Expect, result: dict[str, Any], truth: Sequence[Truth]) -> Iterator[str]:
    gaps = result.get("gaps", [])
    if expect.gaps is not None and len(gaps) != expect.gaps:
        yield f"gaps: {len(gaps)}, expected {expect.gaps}"
    if expect.gaps:
        for gap in gaps:
            if not (gap.get("to") and gap.get("from") is not None and gap["from"] < gap["to"]):
                yield f"a gap that is none: {gap}"


def _outcomes(expect: Expect, outcomes: Sequence[dict[str, Any]]) -> Iterator[str]:
    if expect.outcomes is None:
        return
    got = [each.get("error", {}).get("code") for each in outcomes]
    fine = len(got) == len(expect.outcomes) and all(
        code in wanted if isinstance(wanted, list) else code == wanted
        for code, wanted in zip(got, expect.outcomes, strict=True)
    )
    if not fine:
        yield f"outcomes: {got}, expected {expect.outcomes}"


def _pauses(expect: Expect, pauses: Sequence[float]) -> Iterator[str]:
    if expect.pauses is not None:
        if len(pauses) != len(expect.pauses):
            yield f"pauses: {_rounded(pauses)}, expected {len(expect.pauses)} of them"
        else:
            for number, (pause, bounds) in enumerate(zip(pauses, expect.pauses, strict=True), 1):
                if bounds is not None and not bounds[0] <= pause <= bounds[1]:
                    yield f"pause {number}: {pause:.0f} ms, expected {_range(*bounds)}"
    if expect.pauses_most is not None and max(pauses, default=0) > expect.pauses_most:
        yield f"pauses: {_rounded(pauses)}, expected at most {expect.pauses_most:g} ms each"
    if expect.pauses_sum is not None and not expect.pauses_sum[0] <= sum(pauses) <= expect.pauses_sum[1]:
        yield f"pauses: {_rounded(pauses)} together, expected {_range(*expect.pauses_sum)} ms"


def _pace(expect: Expect, asked: Sequence[Asked], pauses: Sequence[float]) -> Iterator[str]:
    if expect.pace is None:
        return
    # The moments of attempts are known; an attempt may be several requests, such as HEAD and GET.
    moments = [0.0, *itertools.accumulate(pauses)]
    requests = sum(1 for each in asked if each.method != "OPTIONS")
    times = [moments[number * len(moments) // requests] for number in range(requests)]
    most = max((sum(1 for other in times if at <= other < at + _MINUTE) for at in times), default=0)
    if most > expect.pace:
        yield f"{most} requests in a minute of the client's clock, expected at most {expect.pace}: {_rounded(pauses)}"


def _range(least: float, most: float) -> str:
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _rounded(pauses: Sequence[float]) -> list[int]:
    return [round(pause) for pause in pauses]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:120]} … {text[-30:]}"
