"""The routes of chat clients: begin, go on, stop; whose it is; and how bad requests are met."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from headwater import Hub
from headwater.errors import Refused
from headwater.llm import Runs, RunState
from headwater.llm.http.chat import Chat, ChatRequest
from headwater.llm.http.runs import Watch
from headwater.testing.asgi import AsgiClient, AsgiResponse

if TYPE_CHECKING:
    from tests.conftest import Run

    from headwater.asgi.types import Scope

JSON = {"content-type": "application/json"}


class Model:
    """Answers in two halves, the second when it is let go; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []
        self.go_on = asyncio.Event()

    async def respond(self, request: ChatRequest) -> AsyncIterator[str]:
        self.asked.append(request)
        yield "Hello, "
        await self.go_on.wait()
        yield request.text


def body(chat: str = "c1", text: str = "ann", **more: Any) -> bytes:
    message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": text}]}
    return json.dumps({"id": chat, "messages": [message], "trigger": "submit-message", **more}).encode()


def whose(scope: Scope) -> str | None:
    name: bytes | None = dict(scope["headers"]).get(b"x-user")
    if name == b"mallory":
        raise Refused("mallory is not allowed here")
    return name.decode() if name else None


async def until(response: AsgiResponse, words: bytes) -> bytes:
    """The body up to the part in which the words are."""
    found = b""
    while words not in found:
        part = await response.part()
        assert part is not None, found
        found += part
    return found


def text_of(stream: bytes) -> str:
    """The text in the chunks of an AI SDK stream, which must be complete."""
    assert stream.endswith(b"data: [DONE]\n\n")
    lines = [line[6:] for line in stream.splitlines() if line.startswith(b"data: {")]
    return "".join(chunk["delta"] for chunk in map(json.loads, lines) if chunk["type"] == "text-delta")


def test_a_chat_begins_goes_on_and_ends(run: Run[None]) -> None:
    """POST tells the answer; meanwhile GET tells the same one from its start; afterwards there is nothing: 204."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Chat(runs, model.respond))
            assert (await client.request("GET", "/api/chat/c1/stream"))[0].status == 204
            first = await stack.enter_async_context(client.open("POST", "/api/chat", body(), JSON))
            told = await until(first, b"Hello, ")
            assert first.headers["content-type"] == "text/event-stream"
            assert first.headers["x-vercel-ai-ui-message-stream"] == "v1"
            id = first.headers["headwater-run"]
            second = await stack.enter_async_context(client.open("GET", "/api/chat/c1/stream"))
            again = await until(second, b"Hello, ")
            assert second.headers["headwater-run"] == id
            state = json.loads((await client.request("GET", "/api/chat/c1"))[1])
            assert (state["state"], state["readers"]) == ("running", 2)
            model.go_on.set()
            told += await first.read()
            again += await second.read()
            assert text_of(told) == text_of(again) == "Hello, ann"
            assert (await client.request("GET", "/api/chat/c1/stream"))[0].status == 204
            state = json.loads((await client.request("GET", "/api/chat/c1"))[1])
            assert (state["run"], state["state"]) == (id, "finished")
            (asked,) = model.asked
            assert (asked.chat, asked.trigger, asked.owner, asked.text) == ("c1", "submit-message", None, "ann")
            assert asked.run == id  # under which the application's own history finds the answer

    run(main())


def test_what_a_source_says_at_once_is_in_the_first_bytes(run: Run[None]) -> None:
    """The source is asked before the answer is opened."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            client = AsgiClient(Chat(runs, Model().respond))
            async with client.open("POST", "/api/chat", body(), JSON) as response:
                first = await response.part()
        assert first is not None
        assert b"Hello, " in first

    run(main())


def test_a_client_that_goes_stops_nothing(run: Run[None]) -> None:
    """The run goes on, and whoever comes next is told all of it."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Chat(runs, model.respond))
            async with client.open("POST", "/api/chat", body(), JSON) as first:
                await until(first, b"Hello, ")
            second = await stack.enter_async_context(client.open("GET", "/api/chat/c1/stream"))
            model.go_on.set()
            assert text_of(await second.read()) == "Hello, ann"

    run(main())


def test_a_stop_stops(run: Run[None]) -> None:
    """Readers are told, the partial answer is kept; stopping what has ended changes nothing."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Chat(runs, model.respond))
            first = await stack.enter_async_context(client.open("POST", "/api/chat", body(), JSON))
            told = await until(first, b"Hello, ")
            answer, state = await client.request("POST", "/api/chat/c1/stop")
            assert (answer.status, json.loads(state)["state"]) == (200, "stopped")
            told += await first.read()
            assert b'"type":"abort"' in told
            assert text_of(told) == "Hello, "
            assert json.loads((await client.request("POST", "/api/chat/c1/stop"))[1])["state"] == "stopped"
            assert (await client.request("POST", "/api/chat/c9/stop"))[0].status == 404

    run(main())


def test_the_same_message_is_answered_once(run: Run[None]) -> None:
    """Sent twice, by a double click or a second tab, it is one run; edited, regenerated or with a key, another."""

    async def main() -> None:
        model = Model()
        model.go_on.set()
        async with Hub() as hub, Runs(hub) as runs:
            client = AsgiClient(Chat(runs, model.respond))

            async def ask(data: bytes, headers: dict[str, str] | None = None) -> str:
                answer, _ = await client.request("POST", "/api/chat", data, {**JSON, **(headers or {})})
                assert answer.status == 200
                return answer.headers["headwater-run"]

            first, second = await asyncio.gather(ask(body()), ask(body()))
            assert first == second == await ask(body())
            edited = await ask(body(text="bob"))
            regenerated = await ask(body(trigger="regenerate-message", messageId="m2"))
            keyed = await ask(body(), {"idempotency-key": "k"})
            assert keyed == await ask(body(text="carl"), {"idempotency-key": "k"})
            assert len({first, edited, regenerated, keyed}) == len(model.asked) == 4
            assert {asked.run for asked in model.asked} == {first, edited, regenerated, keyed}
            assert await runs.id_of("k") == keyed

    run(main())


class Failing:
    """Says a word and fails, or waits; remembers how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    async def respond(self, request: ChatRequest) -> AsyncIterator[str]:
        self.calls += 1
        yield f"{self.calls}"
        if request.text == "wait":
            await asyncio.Event().wait()
        raise OSError


def test_the_same_message_after_a_failure_asks_again(run: Run[None]) -> None:
    """And all who ask again at once are one run; so after a stop. A key of the client's own is one run for ever."""

    async def main() -> None:
        model = Failing()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Chat(runs, model.respond))

            async def ask(headers: dict[str, str] | None = None) -> str:
                answer, told = await client.request("POST", "/api/chat", body(), {**JSON, **(headers or {})})
                assert b'"type":"error"' in told
                return answer.headers["headwater-run"]

            runs_of_it = [await ask() for _ in range(4)]
            assert len(set(runs_of_it)) == model.calls == 4
            assert {await ask({"idempotency-key": "k"}) for _ in range(3)} == {await runs.id_of("k")}
            assert model.calls == 5
            model.calls = 0
            waiting = body("c2", "wait")
            first = await stack.enter_async_context(client.open("POST", "/api/chat", waiting, JSON))
            await until(first, b'"1"')
            await client.request("POST", "/api/chat/c2/stop")
            again = [await stack.enter_async_context(client.open("POST", "/api/chat", waiting, JSON)) for _ in "ab"]
            for each in again:
                await until(each, b'"2"')
            assert model.calls == 2
            assert len({each.headers["headwater-run"] for each in (first, *again)}) == 2

    run(main())


def test_two_questions_at_once(run: Run[None]) -> None:
    """Each is answered; the one that began last is told to who comes, then the other; one stop reaches both."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Chat(runs, model.respond))

            async def ask(text: str) -> AsgiResponse:
                asked = await stack.enter_async_context(client.open("POST", "/api/chat", body(text=text), JSON))
                await until(asked, b"Hello, ")
                return asked

            first, second = await ask("ann"), await ask("bob")
            ids = [each.headers["headwater-run"] for each in (first, second)]
            state = json.loads((await client.request("GET", "/api/chat/c1"))[1])
            assert (state["run"], state["running"]) == (ids[1], ids[::-1])
            watching = await stack.enter_async_context(client.open("GET", "/api/chat/c1/stream"))
            assert watching.headers["headwater-run"] == ids[1]
            _, told = await client.request("POST", f"/api/chat/c1/stop?run={ids[1]}")
            assert json.loads(told)["stopped"] == [ids[1]]
            watching = await stack.enter_async_context(client.open("GET", "/api/chat/c1/stream"))
            assert watching.headers["headwater-run"] == ids[0]
            third = await ask("carl")
            _, told = await client.request("POST", "/api/chat/c1/stop")
            assert json.loads(told)["stopped"] == [third.headers["headwater-run"], ids[0]]
            assert runs.running == 0
            _, told = await client.request("POST", "/api/chat/c1/stop")
            assert json.loads(told)["stopped"] == []

    run(main())


def test_where_the_last_answer_is(run: Run[None]) -> None:
    """A page that keeps no history asks for it, as `GET {chat}` says or in one request; of this chat only."""

    async def main() -> None:
        model = Model()
        model.go_on.set()
        async with Hub() as hub, Runs(hub) as runs:
            app = FastAPI()
            Chat(runs, model.respond, owner=whose).install(app)
            client = AsgiClient(app)
            _, answer = await client.request("POST", "/api/chat", body("a/b c"), JSON)
            _, state = await client.request("GET", "/api/chat/a%2Fb%20c")
            place = json.loads(state)["stream"]
            assert place.startswith("/api/chat/a%2Fb%20c/stream?run=")
            for url in (place, "/api/chat/a%2Fb%20c/stream?ended=true"):
                response, told = await client.request("GET", url)
                assert (response.status, text_of(told)) == (200, "Hello, ann")
                assert told.split(b'"messageId":')[1][:20] == answer.split(b'"messageId":')[1][:20]
            assert (await client.request("GET", "/api/chat/a%2Fb%20c/stream"))[0].status == 204
            assert (await client.request("GET", "/api/chat/none/stream?ended=true"))[0].status == 204
            other = place.replace("a%2Fb%20c", "other")
            assert (await client.request("GET", other))[0].status == 404
            assert (await client.request("POST", other.replace("/stream", "/stop")))[0].status == 404
            assert (await client.request("GET", place, headers={"x-user": "bob"}))[0].status == 404

    run(main())


def test_an_answer_goes_on_with_the_assistant_s_last_message(run: Run[None]) -> None:
    """A page that has run a tool sends it: the answer has its id. Others are told the earlier parts, too."""

    async def main() -> None:
        model, runs = Model(), Runs(Hub())
        client = AsgiClient(Chat(runs, model.respond, prefix=""))
        call = {"type": "tool-city", "toolCallId": "c", "state": "output-available", "input": {}, "output": "Rome"}
        user = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "ann"}]}
        assistant = {"id": "a1", "role": "assistant", "parts": [{"type": "step-start"}, call], "metadata": {"x": 1}}
        async with runs, AsyncExitStack() as stack:
            for last, message_id in ((assistant, "a1"), ({**assistant, "id": "x" * 300}, ""), (user, "")):
                asked = body(messages=[user, last])
                asking = await stack.enter_async_context(client.open("POST", "/", asked, JSON))
                watching = await stack.enter_async_context(client.open("GET", "/c1/stream"))
                told = [await until(each, b"Hello, ") for each in (asking, watching)]
                starts = [json.loads(each.split(b"data: ")[1]) for each in told]
                assert starts[0] == starts[1]
                assert (starts[0]["messageId"] == "a1") is (message_id == "a1")
                assert starts[0].get("messageMetadata") == ({"x": 1} if message_id else None)
                assert b"Rome" not in told[0]
                assert (b"Rome" in told[1]) is bool(message_id)
            model.go_on.set()

    run(main())


def test_the_body_of_an_agui_agent(run: Run[None]) -> None:
    """`threadId` is the chat, and the same `runId` the same run; another call of the agent is another one."""

    async def main() -> None:
        model = Model()
        model.go_on.set()
        async with Hub() as hub, Runs(hub) as runs:
            client = AsgiClient(Chat(runs, model.respond))

            async def ask(run_id: str, content: Any = "ann") -> tuple[str, bytes]:
                message = {"id": "m1", "role": "user", "content": content}
                more: dict[str, Any] = {"tools": [], "context": [], "state": {}, "forwardedProps": {}}
                data = json.dumps({"threadId": "t1", "runId": run_id, "messages": [message], **more}).encode()
                answer, told = await client.request("POST", "/api/chat?dialect=ag-ui", data, JSON)
                assert answer.status == 200
                return answer.headers["headwater-run"], told

            first, told = await ask("r1")
            assert b'"threadId":"t1"' in told
            assert b"ann" in told
            assert (await ask("r1"))[0] == first
            second, told = await ask(
                "r2", [{"type": "text", "text": "bo"}, {"type": "binary"}, {"type": "text", "text": "b"}]
            )
            assert b"bob" in told
            assert first != second
            assert [(asked.chat, asked.body["runId"]) for asked in model.asked] == [("t1", "r1"), ("t1", "r2")]
            assert json.loads((await client.request("GET", "/api/chat/t1"))[1])["run"] == second

    run(main())


def test_chats_of_two_owners_are_two(run: Run[None]) -> None:
    """With the same id; nobody sees or stops another's, and who is refused is told why."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Chat(runs, model.respond, owner=whose))
            ann, bob = {**JSON, "x-user": "ann"}, {**JSON, "x-user": "bob"}
            first = await stack.enter_async_context(client.open("POST", "/api/chat", body(), ann))
            await until(first, b"Hello, ")
            assert (await client.request("GET", "/api/chat/c1/stream", headers=bob))[0].status == 204
            assert (await client.request("POST", "/api/chat/c1/stop", headers=bob))[0].status == 404
            assert (await client.request("GET", "/api/chat/c1", headers=bob))[0].status == 404
            second = await stack.enter_async_context(client.open("POST", "/api/chat", body(), bob))
            await until(second, b"Hello, ")
            assert first.headers["headwater-run"] != second.headers["headwater-run"]
            refused, text = await client.request("GET", "/api/chat/c1", headers={"x-user": "mallory"})
            assert (refused.status, text) == (403, b"mallory is not allowed here")
            model.go_on.set()
            await first.read()
            await second.read()

    run(main())


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (("POST", "/api/chat", b"{", JSON), 400, "not JSON"),
        (("POST", "/api/chat", b"[1]", JSON), 400, "not a JSON object"),
        (("POST", "/api/chat", b"{}", JSON), 400, "the chat's id"),
        (("POST", "/api/chat", b'{"id": 5}', JSON), 400, "the chat's id"),
        (("POST", "/api/chat", b'{"id": "a\xff"}', JSON), 400, "a string is not UTF-8"),
        (("POST", "/api/chat", b'{"id": "a", "messages": [1]}', JSON), 400, "a list of objects"),
        (("POST", "/api/chat", b'{"id": "a"}', {"content-type": "text/plain"}), 400, "must be application/json"),
        (("POST", "/api/chat", b'{"id": "' + b"x" * 600 + b'"}', JSON), 400, "printable characters"),
        (("POST", "/api/chat", b'"' + b"x" * 3000 + b'"', JSON), 413, "max_request_bytes=2000"),
        (("GET", "/api/chat", b"", {}), 405, "not a method"),
        (("DELETE", "/api/chat/c1", b"", {}), 405, "not a method"),
        (("GET", "/api/chat/c1/stream/x", b"", {}), 404, "there are"),
        (("GET", "/api/chat/c1", b"", {}), 404, "has no run"),
        (("GET", "/api/chat/c1/stream?dialect=morse", b"", {}), 400, "there is no dialect 'morse'"),
    ],
)
@pytest.mark.parametrize("dialect", ["ai-sdk", "openai", "anthropic", "plain"])
def test_bad_requests(run: Run[None], request_: Any, status: int, words: str, dialect: str) -> None:
    """A status, and a sentence where the dialect's client looks for it; no run begins."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs:
            client = AsgiClient(Chat(runs, model.respond, default=dialect, max_request_bytes=2000))
            method, url, data, headers = request_
            answer, text = await client.request(method, url, data, headers)
            assert answer.status == status
            if dialect == "ai-sdk" and "morse" not in url:
                assert words in text.decode()
            elif "morse" in url or dialect == "plain":
                assert words in json.loads(text)["detail"]
            else:
                assert words in json.loads(text)["error"]["message"]
            assert (model.asked, runs.running) == ([], 0)

    run(main())


def test_a_viewer_by_the_run_s_id(run: Run[None]) -> None:
    """Any dialect, also when it has ended; behind an offset; and to stop it."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            client = AsgiClient(Watch(runs, default="plain"))
            begun = await runs.start(lambda: model.respond(ChatRequest("c", [], "", None, None, {}, {})))
            viewer = await stack.enter_async_context(client.open("GET", f"/{begun.id}/stream"))
            told = await until(viewer, b"Hello, ")
            offset = told.partition(b"id: ")[2].partition(b"\n")[0].decode()
            await client.request("POST", f"/{begun.id}/stop")
            assert b"error" in await viewer.read()
            assert (await runs.get(begun.id)).state is RunState.STOPPED
            _, rest = await client.request("GET", f"/{begun.id}/stream?offset={offset}")
            assert b"Hello, " not in rest
            assert b"[DONE]" in rest
            _, rest = await client.request("GET", f"/{begun.id}/stream", headers={"last-event-id": offset})
            assert b"Hello, " not in rest
            # A browser comes back with the URL that it began with.
            url = f"/{begun.id}/stream?offset=-1"
            _, rest = await client.request("GET", url, headers={"last-event-id": offset})
            assert b"Hello, " not in rest
            assert (await client.request("GET", f"{url}&lastEventId={offset}"))[1] == rest
            _, openai = await client.request("GET", f"/{begun.id}/stream?dialect=openai")
            assert b"chat.completion.chunk" in openai
            state = json.loads((await client.request("GET", f"/{begun.id}"))[1])
            assert (state["state"], state["message"]) == ("stopped", "stopped by a reader")
            for bad in ("nonsense", "0000000000000099_0000000000000001"):
                assert (await client.request("GET", f"/{begun.id}/stream?offset={bad}"))[0].status in (400, 410)
            for url in ("/other", "/other/stream", "/a%2Fb", "/x/y/z"):
                assert (await client.request("GET", url))[0].status in (400, 404)

    run(main())


def test_a_chat_s_id_may_have_slashes(run: Run[None]) -> None:
    """Clients encode them; frameworks decode them before they route."""

    async def main() -> None:
        model = Model()
        async with Hub() as hub, Runs(hub) as runs, AsyncExitStack() as stack:
            app = FastAPI()
            Chat(runs, model.respond).install(app)
            client = AsgiClient(app)
            assert (await client.request("GET", "/api/chat/a%2Fb%20c/stream"))[0].status == 204
            first = await stack.enter_async_context(client.open("POST", "/api/chat", body("a/b c"), JSON))
            await until(first, b"Hello, ")
            again = await stack.enter_async_context(client.open("GET", "/api/chat/a%2Fb%20c/stream"))
            await until(again, b"Hello, ")
            assert (await client.request("POST", "/api/chat/a%2Fb%20c/stop"))[0].status == 200

    run(main())


@pytest.mark.parametrize("mounted", [False, True])
def test_in_an_application(run: Run[None], mounted: bool) -> None:
    """Installed, the routes are where clients call them; mounted, below the mount point."""

    async def main() -> None:
        model = Model()
        model.go_on.set()
        async with Hub() as hub, Runs(hub) as runs:
            app = FastAPI()
            chat = Chat(runs, model.respond)
            if mounted:
                app.mount("/api/chat", chat)
            else:
                chat.install(app)
            client = AsgiClient(app)
            _, told = await client.request("POST", "/api/chat/" if mounted else "/api/chat", body(), JSON)
            assert text_of(told) == "Hello, ann"
            assert (await client.request("GET", "/api/chat/c1/stream"))[0].status == 204
            assert json.loads((await client.request("GET", "/api/chat/c1"))[1])["state"] == "finished"

    run(main())
