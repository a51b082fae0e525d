"""The differential judge: every case, by every way, to every client, compared with the client reading the provider.

| way | what the client reads | right is |
| --- | --- | --- |
| `proxy` | the transparent proxy | the same bytes, events and exceptions |
| `proxied` | a run of the proxy | the same events and exceptions |
| `own` | a run whose source is the SDK, in the provider's dialect | the same objects and exceptions, put together |
| `across` | the same run in another dialect | the same normal reading |
| `watched` | the run of the proxy as `ai-sdk-7`, made of the provider's bytes | the same normal reading |

Rule 1: a client is compared with itself. An exception is its class and its text.
Rule 2: where an SDK cannot read what the provider sends, by an exception that it does not document, it is compared
        through the proxy only. A run whose source cannot read it tells an error, whatever its reader is.
Rule 3: where a helper for streams says something else than the events that the same SDK gives, it cannot read them
        either: two calls become one, or lists lose their beginning. Nothing is asked of runs then, but of the events.
Rule 4: an error in a form that the SDK takes for an event of the answer is told as an error: `Case.tells`.
Rule 5: a response that breaks off is told as an error by runs, where the SDK may say nothing: `Case.cut`, and what
        has no last event. Chat completions without a finish reason are `unfinished`: their SDK hides `[DONE]`, so a
        run of its stream cannot know it, and tells them as `truncated`.
Rule 6: what a dialect has no place for, and says that it has left out, is no difference. Every dialect of the registry
        is judged: one without a client here is read by the source of its own provider, and one without words for its
        ends by its text alone.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.llm.clients.node import Node
from tests.llm.judge import python_sdks
from tests.llm.judge.differences import kinds, left_out_of, reading_kinds, without_told
from tests.llm.judge.folds import fold, mended
from tests.llm.judge.reading import (
    Reading,
    of_agent,
    of_chat,
    of_chat_page,
    of_gemini,
    of_messages,
    of_ollama,
    of_parts,
    of_plain,
    of_responses,
)
from tests.llm.judge.wire import Case
from tests.llm.readers import values

from headwater.llm.parts import decode_part
from headwater.llm.providers import registry
from headwater.llm.providers.wire import WireRecogniser

Json = dict[str, Any]

#: The dialect of each API.
DIALECTS = {"chat": "openai", "responses": "openai-responses", "messages": "anthropic"}
EXTRACTORS = {"chat": of_chat, "responses": of_responses, "messages": of_messages}
PATHS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages"}
#: Dialects that are read as their documentation has them; their SDKs are not in the environment of these tests.
PLAIN = {"gemini": of_gemini, "gemini-array": of_gemini, "ollama": of_ollama, "plain": of_plain}
#: Clients of JavaScript that have a dialect of their own.
PAGES: dict[str, Json] = {
    "ai-sdk": {"do": "chat", "sdk": 6},
    "ai-sdk-7": {"do": "chat", "sdk": 7},
    "ag-ui": {"do": "agent"},
}
_MADE_UP = re.compile(r"0x[0-9a-f]{6,}|call_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUCCESS = 200
WAYS = ("proxy", "proxied", "own", "across", "watched")
#: Dialects that are read from their bytes.
BARE = [name for name in registry.DIALECTS if name not in (*DIALECTS.values(), *PAGES)]


class Verdict(msgspec.Struct, frozen=True):
    """One comparison.

    Attributes:
        case: which.
        way: as above.
        dialect: what the client reads.
        client: which.
        kinds: in which kinds of parts the answers differ; none: they are the same.
    """

    case: str
    way: str
    dialect: str
    client: str
    kinds: frozenset[str]


class Judge:
    """Plays cases.

    Args:
        provider: base URL of the provider, as of all: without `/v1`.
        proxy: of `headwater llm proxy` before it.
        app: of the application.
        node: the clients of JavaScript.
    """

    def __init__(self, provider: str, proxy: str, app: str, node: Node) -> None:
        self._provider = provider
        self._proxy = proxy
        self._app = app
        self._node = node

    def play(self, case: Case) -> list[Verdict]:
        """All comparisons of a case."""
        direct = self._read(case, "direct")
        found = [
            *self._bytes(case),
            *self._compare_exactly(case, "proxy", direct),
            *self._compare_exactly(case, "proxied", direct),
            *self._compare_own(case, direct),
        ]
        if _is_unreadable(direct["python create"]):
            return found
        wanted = EXTRACTORS[case.api](
            fold(case.api, direct["python create"]["events"]), direct["python create"].get("error")
        )
        return [*found, *self._compare_across(case, wanted), *self._compare_watched(case, wanted)]

    def _read(self, case: Case, way: str) -> dict[str, Json]:
        """What each SDK of the case's API gives."""
        found: dict[str, Json] = {}
        commands: list[Json] = []
        # Helpers make the same of the same events.
        for what in ("create",) if way in ("proxy", "proxied") else ("create", "stream"):
            headers = {"Headwater-Run": f"{case.name}-{what}-py"} if way == "proxied" else {}
            found[f"python {what}"] = getattr(python_sdks, what)(case.api, self._url(case, way), case.name, headers)
            headers = {"Headwater-Run": f"{case.name}-{what}-js"} if way == "proxied" else {}
            asked = {"api": case.api, "url": self._url(case, way), "model": case.name, "headers": headers}
            commands.append({"do": what, **asked})
        answers = self._node.do("together", commands=commands)
        found |= {f"javascript {command['do']}": answer for command, answer in zip(commands, answers, strict=True)}
        return found

    def _url(self, case: Case, way: str) -> str:
        """The base URL of an SDK."""
        if way == "own":
            return f"{self._app}/{case.api}/{DIALECTS[case.api]}"
        base = self._provider if way == "direct" else self._proxy
        return base if case.api == "messages" else f"{base}/v1"

    def _bytes(self, case: Case) -> Iterator[Verdict]:
        """The body and the head, as they are."""
        fetched = [_fetched(f"{base}/v1{PATHS[case.api]}", case.name) for base in (self._provider, self._proxy)]
        yield _verdict(case, "proxy", DIALECTS[case.api], "bytes", set() if fetched[0] == fetched[1] else {case.about})

    def _compare_exactly(self, case: Case, way: str, direct: dict[str, Json]) -> Iterator[Verdict]:
        for client, seen in self._read(case, way).items():
            wanted = direct[client]
            if way == "proxied" and case.breaks_off:
                is_same = seen.get("events") == wanted.get("events") and _is_told(seen)
            else:
                is_same = _steady(seen) == _steady(wanted)
            yield _verdict(case, way, DIALECTS[case.api], client, set() if is_same else {case.about})

    def _compare_own(self, case: Case, direct: dict[str, Json]) -> Iterator[Verdict]:
        for client, seen in self._read(case, "own").items():
            wanted = direct[client]
            if _is_unreadable(direct["python create"]):  # so the source cannot read it
                yield _verdict(case, "own", DIALECTS[case.api], client, set() if _is_told(seen) else {"errors"})
                continue
            is_whole = not (case.unfinished or case.breaks_off or case.tells)
            if _is_unreadable(wanted) or (client.endswith("stream") and not is_whole):
                continue
            if "final" in wanted and _misreads(case.api, wanted["final"], direct[client.replace("stream", "create")]):
                continue
            yield _verdict(case, "own", DIALECTS[case.api], client, self._own_kinds(case, wanted, seen))

    def _own_kinds(self, case: Case, wanted: Json, seen: Json) -> set[str]:
        if "events" in wanted:
            before, after = fold(case.api, wanted["events"]), fold(case.api, seen["events"])
        else:
            before, after = _steady(wanted.get("final")), _steady(seen.get("final"))
        found = kinds(before, after) if before is not None and after is not None else set()
        if case.tells:
            is_told = _is_told(seen) and case.tells in seen["error"]["message"]
            return {kind for kind in found if not kind.startswith("about")} | (set() if is_told else {"errors"})
        if case.unfinished or case.breaks_off:
            return found - {"end"} if _is_told(seen) else found | {"end"}
        if case.status != _SUCCESS:
            return {"refusals of the request"}
        return found if _error_of(wanted) == _error_of(seen) else found | {"errors"}

    def _compare_watched(self, case: Case, wanted: Reading) -> Iterator[Verdict]:
        if case.status != _SUCCESS:
            return  # it is no run
        url = f"{self._proxy}/v1/runs/{case.name}-create-py/stream?dialect=ai-sdk-7"
        seen = self._node.do("chat", sdk=7, url=url, headers={"authorization": "Bearer key"})
        reading = of_chat_page(seen)
        if case.unfinished:  # `[DONE]` is seen here
            wanted = msgspec.structs.replace(wanted, end=reading.end)
        found = self._across(case, "ai-sdk-7", wanted, reading, case.breaks_off, left_out_of(seen))
        yield msgspec.structs.replace(found, way="watched")

    def _compare_across(self, case: Case, wanted: Reading) -> Iterator[Verdict]:
        is_error = case.unfinished or case.breaks_off
        commands = [{**how, "url": f"{self._app}/{case.api}/{dialect}/{case.name}"} for dialect, how in PAGES.items()]
        answers = zip(PAGES, self._node.do("together", commands=commands), strict=True)
        for dialect, seen in answers:
            assert "crash" not in seen, seen["crash"]
            reading = of_agent(seen) if dialect == "ag-ui" else of_chat_page(seen)
            yield self._across(case, dialect, wanted, reading, is_error, left_out_of(seen))
        for api, dialect in DIALECTS.items():
            if api != case.api:
                seen = python_sdks.create(api, f"{self._app}/{case.api}/{dialect}", case.name, {})
                reading = EXTRACTORS[api](fold(api, seen["events"]), seen.get("error"))
                yield self._across(case, dialect, wanted, reading, is_error, left_out_of(seen))
        for dialect in BARE:
            body = _told(f"{self._app}/{case.api}/{dialect}/{case.name}")
            if not registry.DIALECTS[dialect].tells_ends:
                is_same = body.decode() == wanted.text + wanted.refusals
                yield _verdict(case, "across", dialect, dialect, set() if is_same else {"text"})
                continue
            left_out = left_out_of(values(dialect, body))
            yield self._across(case, dialect, wanted, _read_bare(dialect, body), is_error, left_out)

    def _across(
        self, case: Case, dialect: str, wanted: Reading, seen: Reading, is_error: bool, left_out: dict[str, int]
    ) -> Verdict:
        if case.tells:
            wanted = msgspec.structs.replace(wanted, errors=case.tells, end=None)
        wanted, seen = msgspec.structs.replace(wanted), msgspec.structs.replace(seen)
        for reading in (wanted, seen):  # some say all thinking in one text
            reading.thinking = reading.thinking.replace("\n\n", "")
        ids = dict(wanted.approvals)  # a call that waits for its approval may be told as a call, too
        seen.calls = [call for call in seen.calls if call[0] not in ids]
        if len(seen.calls) == len(wanted.calls):  # ids that the provider does not give are made up
            pairs = zip(wanted.calls, seen.calls, strict=True)
            seen.calls = [(call[0] and other[0], other[1], other[2]) for call, other in pairs]
        found = without_told(reading_kinds(wanted, seen), wanted, seen, left_out)
        if is_error:
            found = found - {"errors", "end"} if seen.errors else found | {"end"}
        return _verdict(case, "across", dialect, dialect, found)


def _verdict(case: Case, way: str, dialect: str, client: str, found: set[str]) -> Verdict:
    return Verdict(case.name, way, dialect, client, frozenset(found))


def _steady(value: Any) -> Any:
    """Without what an SDK makes up: ids of calls that have none, and addresses in the texts of its own exceptions."""
    return json.loads(_MADE_UP.sub("", json.dumps(value)))


def _misreads(api: str, final: Json, created: Json) -> bool:
    """A helper's object says something else than its SDK's events."""
    folded = fold(api, created["events"])
    if api == "chat":
        choices = [{**choice, "delta": mended(choice["message"])} for choice in final["choices"]]
        final = {**final, "choices": choices}
    if api == "responses" and not final["output"]:  # events may hold more than the last one
        return False
    return EXTRACTORS[api](_steady(final), None) != EXTRACTORS[api](_steady(folded), None)


def _is_told(seen: Json) -> bool:
    return "error" in seen and bool(seen["error"]["is_told"])


def _is_unreadable(seen: Json) -> bool:
    return "error" in seen and not seen["error"]["is_told"]


def _error_of(seen: Json) -> tuple[str, str] | None:
    error = seen.get("error")
    return error and (error["name"], error["message"])


def _fetched(url: str, model: str) -> tuple[int, str | None, bytes]:
    body = json.dumps({"model": model, "stream": True}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["content-type"], _whole(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers["content-type"], refusal.read()


def _told(url: str) -> bytes:
    """The body of a run."""
    request = urllib.request.Request(url, b"{}", {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return _whole(answer)


def _read_bare(dialect: str, body: bytes) -> Reading:
    """What a body says, whose dialect has no client here."""
    if dialect in PLAIN:
        return PLAIN[dialect](values(dialect, body))
    if registry.DIALECTS[dialect].keeps_records:
        return of_parts([decode_part(json.dumps(value).encode()) for value in values(dialect, body)])
    recogniser = WireRecogniser(dialect)
    return of_parts([*recogniser.feed(body), *recogniser.finish()])


def _whole(answer: Any) -> bytes:
    """A body; of one that breaks off, what came."""
    try:
        found: bytes = answer.read()
    except http.client.IncompleteRead as error:
        return error.partial
    return found
