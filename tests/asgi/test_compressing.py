"""Compression over ASGI: finished bodies, live answers, what caches are told, and what is refused."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

import pytest

from headwater import Compression, Hub, Limits
from headwater.asgi import App
from headwater.http import content_coding
from headwater.protocol import compressors
from headwater.protocol.compressors import find
from headwater.testing.asgi import AsgiClient, AsgiResponse

Run = Callable[[Coroutine[Any, Any, Any]], Any]
URL: Final = "/v1/stream/s"
JSON: Final = {"content-type": "application/json"}
LIVE: Final = {"accept": "application/x-ndjson"}
ALL: Final = Compression(min_bytes=100)
BIG: Final = b'{"state":"moving","user":"Ada"}'


def accepting(coding: str, **headers: str) -> dict[str, str]:
    return {"accept-encoding": coding, **{name.replace("_", "-"): value for name, value in headers.items()}}


def decode(coding: str, body: bytes) -> bytes:
    found: bytes
    match coding:
        case "gzip":
            found = gzip.decompress(body)
        case "zstd":
            found = b"".join(find("zstd").decompress(frame) for frame in [body])
        case "br":
            found = find("br").decompress(body)
        case _:
            found = body
    return found


async def filled(hub: Hub, count: int = 50) -> None:
    await hub.create("s", content_type="application/json")
    await hub.append("s", b"[" + b",".join([BIG] * count) + b"]")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_finished_bodies_are_compressed(run: Run, coding: str) -> None:
    """The same body in fewer bytes, with headers that say so, and everything else as it was."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub)
            plain, expected = await AsgiClient(App(hub)).request("GET", URL)
            client = AsgiClient(App(hub, compression=ALL))
            found, body = await client.request("GET", URL, headers=accepting(coding))
            assert decode(coding, body) == expected
            assert len(body) < len(expected) / 5
            assert found.headers["content-encoding"] == coding
            assert "accept-encoding" in found.headers["vary"]
            assert int(found.headers["content-length"]) == len(body)
            for name in ("cache-control", "stream-next-offset", "stream-up-to-date", "content-type"):
                assert found.headers[name] == plain.headers[name]

    run(main())


def test_each_coding_has_its_own_etag(run: Run) -> None:
    """A strong tag names bytes; 304 is the answer to the tag of the very form that would be sent."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub)
            client = AsgiClient(App(hub, compression=ALL))
            tags = {}
            for coding in ("identity", "gzip", "br", "zstd"):
                found, _ = await client.request("GET", URL, headers=accepting(coding))
                tags[coding] = found.headers["etag"]
            assert len(set(tags.values())) == 4
            for coding in tags:
                for known, tag in tags.items():
                    found, body = await client.request("GET", URL, headers=accepting(coding, if_none_match=tag))
                    assert found.status == (304 if known == coding else 200), (coding, known)
                    assert found.headers["etag"] == tags[coding]
                    assert "accept-encoding" in found.headers["vary"]
                    assert ("content-encoding" in found.headers) == (found.status == 200 and coding != "identity")
                    assert (body == b"") == (found.status == 304)
            every = ", ".join(tags.values())
            assert (await client.request("GET", URL, headers=accepting("br", if_none_match=every)))[0].status == 304

    run(main())


def test_small_bodies_are_sent_as_they_are(run: Run) -> None:
    """Below min_bytes, with the tag of the plain form; unless the client refuses that."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub, 2)
            client = AsgiClient(App(hub, compression=ALL))
            plain, expected = await client.request("GET", URL)
            found, body = await client.request("GET", URL, headers=accepting("gzip"))
            assert body == expected
            assert "content-encoding" not in found.headers
            assert found.headers["etag"] == plain.headers["etag"]
            assert "accept-encoding" in found.headers["vary"]
            found, body = await client.request("GET", URL, headers=accepting("gzip, identity;q=0"))
            assert gzip.decompress(body) == expected

    run(main())


def test_long_polls_are_compressed(run: Run) -> None:
    """The answer with records is; 204 has nothing to compress."""

    async def main() -> None:
        async with Hub(limits=Limits(long_poll_seconds=0.01)) as hub:
            await filled(hub)
            client = AsgiClient(App(hub, compression=ALL))
            found, body = await client.request("GET", f"{URL}?live=long-poll&offset=-1", headers=accepting("gzip"))
            assert len(gzip.decompress(body)) == 50 * (len(BIG) + 1) + 1
            assert found.headers["etag"].endswith(':gzip"')
            found, body = await client.request("GET", f"{URL}?live=long-poll&offset=now", headers=accepting("gzip"))
            assert (found.status, body, "content-encoding" in found.headers) == (204, b"", False)

    run(main())


def test_large_bodies_do_not_hold_up_the_loop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are compressed in a thread."""
    threads: list[bool] = []

    async def main() -> None:
        async with Hub() as hub:
            app = App(hub, compression=ALL)
            compress = app.service.compressor.compress

            def watched(coding: str, data: bytes) -> bytes:
                try:
                    asyncio.get_running_loop()
                    threads.append(False)
                except RuntimeError:
                    threads.append(True)
                return compress(coding, data)

            monkeypatch.setattr(app.service.compressor, "compress", watched)
            await filled(hub, 10)
            await AsgiClient(app).request("GET", URL, headers=accepting("gzip"))
            await hub.append("s", b"[" + b",".join([BIG] * (content_coding.IN_THREAD // len(BIG))) + b"]")
            await AsgiClient(app).request("GET", URL, headers=accepting("gzip"))
            assert threads == [False, True]

    run(main())


def test_without_the_setting_nothing_is_negotiated(run: Run) -> None:
    """Off by default: no header of compression is looked at or sent, not even one that cannot be met."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub)
            for headers in (accepting("gzip"), accepting("identity;q=0")):
                found, body = await AsgiClient(App(hub)).request("GET", URL, headers=headers)
                assert (found.status, body[:1]) == (200, b"[")
                assert "accept-encoding" not in found.headers["vary"]
                assert "content-encoding" not in found.headers

    run(main())


@pytest.mark.parametrize("headers", [{}, LIVE, {"accept": "text/event-stream"}])
def test_a_client_that_accepts_nothing_is_refused(run: Run, headers: dict[str, str]) -> None:
    """406 with the codings that there are, for finished and live answers; nothing is left open."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub)
            client = AsgiClient(App(hub, compression=ALL))
            found, body = await client.request("GET", URL, headers={**headers, **accepting("identity;q=0, deflate")})
            assert (found.status, found.json(body)["code"]) == (406, "not-acceptable")
            assert "gzip" in found.json(body)["detail"]
            assert hub.stats.readers == 0

    run(main())


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("coding", ["gzip", "zstd", "GZIP", "gzip, br", "unknown"])
def test_coded_requests_are_refused(run: Run, method: str, coding: str) -> None:
    """Nothing is stored: it would be served as what Content-Type says, and is not."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain")
            client = AsgiClient(App(hub))
            path = URL if method == "POST" else f"{URL}2"
            headers = {"content-type": "text/plain", "content-encoding": coding}
            found, body = await client.request(method, path, gzip.compress(b"text"), headers)
            assert (found.status, found.json(body)["code"]) == (415, "unsupported-coding")
            assert found.headers["accept-encoding"] == "identity"
            assert (await hub.info("s")).size == 0
            assert hub.stream_count == 1

    run(main())


def test_a_body_that_says_it_is_not_coded_is_taken(run: Run) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain")
            for coding in ("identity", ""):
                headers = {"content-type": "text/plain", "content-encoding": coding}
                assert (await AsgiClient(App(hub)).request("POST", URL, b"text", headers))[0].status == 204

    run(main())


async def read_to(answer: AsgiResponse, decoder: Any, words: bytes) -> None:
    """Read the parts of a live answer, until their text has these words."""
    found = b""
    while words not in found:
        part = await asyncio.wait_for(answer.part(), 10)
        assert part is not None, found
        found += decoder.decompress(part)


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/event-stream"])
def test_live_answers_are_flushed_record_by_record(run: Run, accept: str) -> None:
    """On any ASGI server: each record can be read when it was sent, and the end is a whole gzip file's."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub, 3)
            app = App(hub, compression=ALL)
            async with AsgiClient(app).open("GET", URL, headers=accepting("gzip", accept=accept)) as answer:
                decoder = zlib.decompressobj(31)
                await read_to(answer, decoder, BIG)
                assert answer.headers["content-encoding"] == "gzip"
                assert "accept-encoding" in answer.headers["vary"]
                assert answer.headers["cache-control"] == "no-cache, no-transform"
                for number in range(20):
                    await hub.append("s", {"number": number})
                    await read_to(answer, decoder, b'{"number":%d}' % number)
                await hub.close("s")
                assert b"closed" in decoder.decompress(await answer.read())
                assert decoder.eof

    run(main())


def test_brotli_is_for_finished_bodies_only(run: Run) -> None:
    """It compresses flushed events worse than anything else, for more time."""

    async def main() -> None:
        async with Hub() as hub:
            await filled(hub)
            client = AsgiClient(App(hub, compression=ALL))
            async with client.open("GET", URL, headers=accepting("br", **LIVE)) as answer:
                assert (await answer.until(b"\n")).startswith(b'{"offset"')
                assert "content-encoding" not in answer.headers
            async with client.open("GET", URL, headers=accepting("br, gzip;q=0.1", **LIVE)) as answer:
                await answer.part()
                assert answer.headers["content-encoding"] == "gzip"

    run(main())


def test_codings_without_their_library_are_not_offered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """gzip is always there; the compressor says what is missing, for the server's log."""
    monkeypatch.setattr(compressors, "_MODULES", {**compressors._MODULES, "zstd": ("no.such",), "br": ("no_such",)})
    compressors.find.cache_clear()
    try:

        async def main() -> None:
            async with Hub() as hub:
                await filled(hub)
                app = App(hub, compression=ALL)
                assert (app.service.compressor.offered, app.service.compressor.missing) == (("gzip",), ("zstd", "br"))
                found, _ = await AsgiClient(app).request("GET", URL, headers=accepting("zstd, br, gzip"))
                assert found.headers["content-encoding"] == "gzip"

        run(main())
    finally:
        compressors.find.cache_clear()


def test_gzip_needs_nothing_but_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressors, "_MODULES", {"gzip": ("no_such", "zlib")})
    compressors.find.cache_clear()
    try:
        assert compressors.find("gzip") is zlib
        assert gzip.decompress(compressors.compress("gzip", BIG, 9)) == BIG
    finally:
        compressors.find.cache_clear()


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("level", range(1, 10))
def test_every_level_of_finished_bodies(coding: str, level: int) -> None:
    """Equal bodies are coded equally, as their equal tags say."""
    data = BIG * 100
    found = compressors.compress(coding, data, level)
    assert decode(coding, found) == data
    assert compressors.compress(coding, data, level) == found


BAD: list[tuple[dict[str, Any], str]] = [
    ({"codings": ("gzip", "deflate")}, "deflate"),
    ({"level": 0}, "1 to 9"),
    ({"level": 10}, "1 to 9"),
    ({"min_bytes": 0}, "greater than 0"),
    ({"contexts": 0}, "greater than 0"),
]


@pytest.mark.parametrize(("fields", "words"), BAD)
def test_settings_that_mean_nothing_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Compression(**fields)


def test_the_mounted_hub_takes_the_same(run: Run) -> None:
    """`Hub(compression=…)` is what `hub.asgi` does."""

    async def main() -> None:
        async with Hub(compression=Compression(codings=("gzip",), min_bytes=1)) as hub:
            await filled(hub)
            found, _ = await AsgiClient(hub.asgi).request("GET", "/s", headers=accepting("br, gzip"))
            assert found.headers["content-encoding"] == "gzip"

    run(main())
