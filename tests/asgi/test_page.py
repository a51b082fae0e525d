"""The page's answers: its policy, its files, their types and how long they are kept. What it does: tests/browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from headwater import Hub
from headwater.asgi import App
from headwater.testing.asgi import AsgiClient

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def loaded(client: AsgiClient, path: str = "/") -> tuple[dict[str, str], str]:
    answer, body = await client.request("GET", path)
    assert answer.status == 200
    return answer.headers, body.decode()


def test_the_page_runs_only_what_it_names(run: Run) -> None:
    """Its policy lets in what has the answer's own nonce, a new one each time; nothing else, of this origin or not."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            seen = set()
            for _ in range(2):
                headers, html = await loaded(client)
                assert html.startswith("<!doctype html>")
                policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
                assert policy["default-src"] == "'none'"
                assert policy["script-src"] == policy["style-src"]
                [nonce] = re.findall(r"^'nonce-([\w-]{20,})'$", policy["script-src"])
                elements = re.findall(r"<script[^>]*>|<style[^>]*>|<link rel=\"stylesheet\"[^>]*>", html)
                assert len(elements) >= 3
                assert all(f'nonce="{nonce}"' in element for element in elements)
                assert headers["cache-control"] == "no-store"
                seen.add(nonce)
            assert len(seen) == 2
            assert "'self'" not in headers["content-security-policy"].replace("connect-src 'self'", "")

    run(main())


def test_its_files_have_types_and_are_kept(run: Run) -> None:
    """Scripts and styles by their types, for ever by a URL that names their content; nothing outside the folder."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            _, html = await loaded(client)
            assert "$" not in re.sub(r"<script nonce.*?</script>", "", html)
            files = re.findall(r'(?:src|href)="(-/page/[^"]+)"', html)
            assert {file.rpartition(".")[2] for file in files} == {"css", "js"}
            for file in files:
                headers, body = await loaded(client, f"/{file}")
                assert (
                    headers["content-type"] == f"text/{'css' if file.endswith('css') else 'javascript'}; charset=utf-8"
                )
                assert headers["cache-control"] == "public, max-age=31536000, immutable"
                assert headers["x-content-type-options"] == "nosniff"
                for name in re.findall(r'from "\./([\w.]+)"', body):
                    await loaded(client, f"/{file.rpartition('/')[0]}/{name}")
            folder = files[0].rpartition("/")[0]
            for wrong in ("-/page/0/app.js", f"{folder}/index.html", f"{folder}/../page.py", f"{folder}/", "-/page/"):
                answer, _ = await client.request("GET", f"/{wrong}")
                assert answer.status == 404

    run(main())


def test_the_page_knows_where_streams_are(run: Run) -> None:
    """Under any prefix, escaped as HTML."""

    async def main() -> None:
        async with Hub() as hub:
            for prefix, shown in (("/v1/stream/", "v1/stream/"), ("/", ""), ('/"<b>/', "&quot;&lt;b&gt;/")):
                _, html = await loaded(AsgiClient(App(hub, prefix=prefix)))
                assert f'data-prefix="{shown}"' in html

    run(main())


def test_the_page_can_be_left_out(run: Run) -> None:
    """And its files with it; without introspection the files are still there."""

    async def main() -> None:
        async with Hub() as hub:
            _, html = await loaded(AsgiClient(App(hub, introspection=False)))
            [file] = re.findall(r'src="(-/page/[^"]+/app.js)"', html)
            await loaded(AsgiClient(App(hub, introspection=False)), f"/{file}")
            for path in ("/", f"/{file}"):
                answer, _ = await AsgiClient(App(hub, with_page=False)).request("GET", path)
                assert answer.status == 404

    run(main())
