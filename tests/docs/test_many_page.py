"""The application of `docs/howto/many-streams.md`: who gets which streams of one read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.docs.pages import ROOT, block

from headwater.testing.asgi import AsgiClient

PAGE = ROOT / "docs" / "howto" / "many-streams.md"


def test_a_user_gets_their_streams(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what matches what they may read, without a word of others; what they name and may not read is an error."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "block"}
    exec(compile(block(PAGE, "python", "file: many.py"), "many.py", "exec", dont_inherit=True), names)

    async def main() -> None:
        async with names["hub"] as hub:
            for path in ("rooms/lobby", "rooms/secret", "users/42/inbox", "users/43/inbox"):
                await hub.create(path, content_type="application/json", body=json.dumps([path]).encode())
            client = AsgiClient(names["app"])

            async def read(query: str, session: str = "s3cr3t") -> tuple[int, list[dict[str, Any]]]:
                url = f"/streams/-/many?live=false&{query}"
                answer, text = await client.request("GET", url, headers={"cookie": f"session={session}"})
                return answer.status, [json.loads(line) for line in text.splitlines()]

            status, found = await read("stream=rooms/*&stream=users/42/inbox&stream=users/43/inbox")
            assert status == 200
            assert [each["data"] for each in found if "data" in each] == ["rooms/lobby", "users/42/inbox"]
            assert [each["stream"] for each in found if each.get("control") == "error"] == ["users/43/inbox"]
            assert "secret" not in json.dumps(found)
            assert (await read("stream=users/43/inbox"))[0] == 403
            assert (await read("stream=users/42/inbox", session="other"))[0] == 401

    run(main())


@pytest.mark.parametrize("page", ["mount.md", "behind-a-proxy.md"])
def test_the_rule_about_guards_by_path_comes_first(page: str) -> None:
    """Whoever puts a guard by path in front reads first which URLs it does not see, and what closes them."""
    first = (ROOT / "docs" / "howto" / page).read_text("utf-8").split("\n\n")[1]
    for word in ("guard by path", "-/many`", "-/append`", "-/connect`", "`multi-stream-closed`"):
        assert word in first
