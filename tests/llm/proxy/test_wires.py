"""Streams of other forms through the proxy: Azure, Gemini, Ollama; and what nobody may see of any."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from tests.llm.proxy.provider import DONE, chunk
from tests.llm.proxy.test_proxy import JSON, setting, without_ids

if TYPE_CHECKING:
    from tests.conftest import Run

GEMINI = "/v1/v1beta/models/gemini-9:streamGenerateContent?alt=sse"
OLLAMA = "/v1/api/chat"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream"
LINES = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson"
NO_TYPE = b"HTTP/1.1 200 OK\r\nx-nothing: 1"


def said(parts: list[Any], finish: str | None = None, **more: Any) -> bytes:
    candidate = {
        "content": {"role": "model", "parts": parts},
        "index": 0,
        **({"finishReason": finish} if finish else {}),
    }
    return b"data: " + json.dumps({"candidates": [candidate], "modelVersion": "g", **more}).encode() + b"\r\n\r\n"


def line(content: str, **more: Any) -> bytes:
    message = {"role": "assistant", "content": content}
    value = {"model": "l", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **more}
    return json.dumps(value).encode() + b"\n"


def element(parts: list[Any], finish: str | None = None, *, before: bytes = b",\r\n", after: bytes = b"") -> bytes:
    """Of the array that Gemini sends to who does not ask for events."""
    return before + said(parts, finish).removeprefix(b"data: ").rstrip() + after


GEMINIS = [said([{"text": "Hel"}]), said([{"text": "lo"}], "STOP", usageMetadata={"promptTokenCount": 3})]
OLLAMAS = [line("Hel"), line("lo"), line("", done=True, done_reason="stop", eval_count=2)]
CHAT = [chunk("Hel"), chunk("lo"), chunk(finish="stop"), DONE]
ARRAY = [element([{"text": "Hel"}], before=b"["), element([{"text": "]}lo"}], "STOP"), b"\r\n]\r\n"]
ARRAY_URL = GEMINI.removesuffix("?alt=sse")
AS_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8"
ASK = b'{"stream": true}'


def cut(pieces: list[bytes]) -> list[bytes]:
    """The same bytes in other pieces."""
    whole = b"".join(pieces)
    return [whole[at : at + 7] for at in range(0, len(whole), 7)]


@pytest.mark.parametrize(
    ("url", "head", "pieces", "media_type"),
    [
        ("/v1/openai/deployments/my%20gpt/chat/completions?api-version=1", EVENTS, CHAT, "text/event-stream"),
        ("/v1/openai/v1/chat/completions", NO_TYPE, CHAT, "text/event-stream"),
        (GEMINI, EVENTS, GEMINIS, "text/event-stream"),
        (ARRAY_URL, AS_JSON, ARRAY, "application/json"),
        (f"{ARRAY_URL}?alt=json", NO_TYPE, ARRAY, "application/json"),
        (OLLAMA, LINES, OLLAMAS, "application/x-ndjson"),
        (OLLAMA, NO_TYPE, OLLAMAS, "application/x-ndjson"),
        (OLLAMA, LINES, [*OLLAMAS[:-1], OLLAMAS[-1].rstrip()], "application/x-ndjson"),
    ],
)
def test_a_run_of_each_form(run: Run[None], url: str, head: bytes, pieces: list[bytes], media_type: str) -> None:
    """The provider's own bytes, whatever its pieces are; sent again the same ones, and once; and in another dialect."""

    async def main() -> None:
        async with setting() as at:
            at.provider.head, at.provider.pieces = head, [*cut(pieces)]
            headers = {**JSON, "headwater-run": "r1", "api-key": "mine"}
            for _ in range(2):
                answer, body = await at.client.request("POST", url, ASK, headers)
                assert (answer.status, answer.headers["content-type"]) == (200, media_type)
                assert without_ids(body).rstrip() == b"".join(pieces).rstrip()
            assert len(at.provider.asked) == 1
            _, told = await at.client.request("GET", "/v1/runs/r1/stream?dialect=plain", headers={"api-key": "mine"})
            assert (
                "".join(json.loads(data[6:])["content"] for data in told.splitlines() if b"content" in data)
            ).replace("]}", "") == "Hello"
            assert (await at.client.request("GET", "/v1/runs/r1"))[0].status == 404

    run(main())


@pytest.mark.parametrize(
    ("url", "head", "pieces"),
    [
        (GEMINI, EVENTS, GEMINIS[:1]),
        (ARRAY_URL, AS_JSON, ARRAY[:1]),
        (ARRAY_URL, AS_JSON, [ARRAY[0], ARRAY[2]]),
        (ARRAY_URL, AS_JSON, [ARRAY[0], ARRAY[1][:20]]),
        (ARRAY_URL, AS_JSON, ARRAY[:2]),
        (ARRAY_URL, AS_JSON, [b"[", b"]"]),
        (OLLAMA, LINES, OLLAMAS[:2]),
        (OLLAMA, LINES, [OLLAMAS[0], OLLAMAS[1][:9]]),
    ],
)
def test_one_that_ends_too_early_is_an_error_in_its_own_words(
    run: Run[None], url: str, head: bytes, pieces: list[bytes]
) -> None:
    async def main() -> None:
        async with setting() as at:
            at.provider.head, at.provider.pieces = head, [*pieces]
            _, body = await at.client.request("POST", url, ASK, {**JSON, "headwater-run": "r1"})
            if url == ARRAY_URL:
                *_, last = json.loads(body)
            else:
                last = json.loads(body.split(b"\n")[-2] if url == OLLAMA else body.rstrip().split(b"\n")[-1][6:])
            message = last["error"] if url == OLLAMA else last["error"]["message"]
            assert "ended without its last event" in message

    run(main())


def test_what_is_not_streamed_is_no_run(run: Run[None]) -> None:
    """Ollama streams unless it is told not to; Gemini in two forms."""

    async def main() -> None:
        async with setting() as at:
            at.provider.head, at.provider.pieces = b"HTTP/1.1 200 OK\r\ncontent-type: application/json", [b"[{}]"]
            for url, body in ((OLLAMA, b'{"stream": false}'), (f"{ARRAY_URL}?alt=proto", b"{}")):
                answer, told = await at.client.request("POST", url, body, {**JSON, "headwater-run": "r1"})
                assert (told, "headwater-run" in answer.headers) == (b"[{}]", False)

    run(main())


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("/v1/chat/completions", lambda body: body["error"]["code"]),
        ("/v1/messages", lambda body: body["error"]["type"]),
        (GEMINI, lambda body: body["error"]["status"]),
        (OLLAMA, lambda body: body["error"]),
    ],
)
def test_refusals_of_ours_are_in_the_providers_words(run: Run[None], url: str, read: Any) -> None:
    async def main() -> None:
        async with setting() as at:
            answer, body = await at.client.request("POST", url, b"nonsense", {**JSON, "headwater-run": "r1"})
            assert answer.status == 400
            assert read(json.loads(body))

    run(main())


@pytest.mark.parametrize("header", ["api-key", "x-goog-api-key"])
def test_the_providers_key_stands_where_the_client_shows_its_own(run: Run[None], header: str) -> None:
    """And nowhere else: a provider refuses two."""

    async def main() -> None:
        async with setting("sk-provider") as at:
            at.provider.pieces = list(CHAT)
            await at.client.request("POST", "/v1/chat/completions", ASK, {**JSON, header: "theirs"})
            (asked,) = at.provider.asked
            assert asked.headers[header] == "sk-provider"
            assert not {"authorization", "x-api-key"} & asked.headers.keys()

    run(main())


@pytest.mark.parametrize("url", ["/v1/chat/completions", "/v1/messages", GEMINI, OLLAMA])
def test_logs_and_errors_show_no_key_and_no_prompt(
    run: Run[None], url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong: a provider that refuses, or breaks off, nonsense, and a run of another request."""
    secrets = ("sk-provider", "sk-client", "my secret prompt")
    asked = json.dumps({"stream": True, "messages": [{"role": "user", "content": secrets[2]}]}).encode()

    async def main() -> None:
        async with setting(secrets[0]) as at:
            keys = {"authorization": f"Bearer {secrets[1]}", "x-api-key": secrets[1], "x-goog-api-key": secrets[1]}
            refused = b"HTTP/1.1 401 No\r\ncontent-type: text/plain"
            told = []
            for number, head in enumerate((EVENTS, NO_TYPE, refused, b"nonsense")):
                at.provider.head, at.provider.pieces = head, [b"data: {\n\n", b"\xff"]
                for more in ({}, {"headwater-run": f"r{number}"}):
                    told.append(await at.client.request("POST", url, asked, {**JSON, **keys, **more}))  # noqa: PERF401
            other = asked.replace(b"true", b'true, "x": 1')
            told.append(await at.client.request("POST", url, other, {**JSON, **keys, "headwater-run": "r0"}))
            assert any(answer.status >= 400 for answer, _ in told)
            shown = b"".join(body for _, body in told).decode("latin-1")
            shown += "".join(str(answer.headers) for answer, _ in told)
            assert [secret for secret in secrets if secret in shown] == []

    with caplog.at_level(logging.DEBUG, logger="headwater"):
        run(main())
    written = caplog.text + "".join(capsys.readouterr())
    assert [secret for secret in secrets if secret in written] == []
