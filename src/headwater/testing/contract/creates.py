"""Creating streams (protocol section 5.1)."""

from __future__ import annotations

from headwater.errors import BadRequest, InvalidBody, StreamExists, StreamNotFound
from headwater.model import BEGINNING, NOW, Expiry, Policy, Retention, SlowPolicy
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("creates")


@chapter.promise
async def a_new_stream_is_open_and_empty(trial: Trial) -> None:
    """A new stream is open, empty, of the given type, and dated by the clock."""
    created = await trial.create("a", TEXT)
    info = created.info
    holds(created.created, "the answer to a first create says that the stream was there before")
    equal((info.path, info.content_type, info.closed), ("a", TEXT, False), "path, content type and closure")
    equal((info.size, info.earliest, info.created_at), (0, info.tail, trial.clock()), "size, earliest and created_at")
    equal(await trial.store.info("a"), info, "info right after the create")
    equal(await trial.contents("a"), (), "contents")


@chapter.promise
async def the_type_defaults_to_octets(trial: Trial) -> None:
    """A stream created without a content type is application/octet-stream."""
    created = await trial.create("a", None)
    equal(created.info.content_type, "application/octet-stream", "content type")
    holds(not (await trial.create("a", None)).created, "the same create again made another stream")


@chapter.promise
async def offsets_have_the_protocols_shape(trial: Trial) -> None:
    """Offsets are short, URL-safe, and never one of the reserved words (protocol section 8)."""
    created = await trial.create("a")
    appended = await trial.append("a", b"x")
    for offset in (created.info.tail, created.info.earliest, appended.next_offset):
        holds(offset and len(offset) < 256, f"the offset {offset!r} is empty or too long")
        holds(not set(offset) & set(",&=?/"), f"the offset {offset!r} has a character with a meaning in URLs")
        holds(offset not in (BEGINNING, NOW), f"the offset {offset!r} is reserved")


@chapter.promise
async def the_first_body_is_kept(trial: Trial) -> None:
    """A body given to create is the stream's first record, whatever its bytes."""
    body = bytes(range(256))
    created = await trial.create("a", None, body)
    equal(created.info.size, 256, "size")
    equal(await trial.contents("a"), (body,), "contents")
    equal((await trial.pieces("a"))[-1].next_offset, created.info.tail, "end of the contents")


@chapter.promise
async def a_json_body_is_split(trial: Trial) -> None:
    """A JSON array given to create becomes one record for each element."""
    await trial.create("a", JSON, b'[{"n": 1}, [2], "three"]')
    equal(await trial.contents("a"), (b'{"n": 1}', b"[2]", b'"three"'), "records")


@chapter.promise
async def an_empty_array_creates_an_empty_stream(trial: Trial) -> None:
    """A create with the JSON body [] makes a stream without records (protocol section 9.1.3)."""
    created = await trial.create("a", JSON, b"[]")
    equal((created.created, created.info.size), (True, 0), "created and size")
    equal(await trial.contents("a"), (), "contents")


@chapter.promise
async def a_stream_can_be_created_closed(trial: Trial) -> None:
    """A stream created closed has its body as its whole content."""
    created = await trial.create("a", TEXT, b"all", closed=True)
    holds(created.info.closed, "the stream is open")
    batch = await trial.store.read("a", BEGINNING)
    equal([record.data for record in batch.records], [b"all"], "contents")
    holds(batch.closed, "a read of everything does not say that the stream is closed")


@chapter.promise
async def creating_again_confirms(trial: Trial) -> None:
    """The same create again finds the stream, and leaves it as it is; a body is not appended."""
    expiry, retention = Expiry(ttl=60), Retention(count=5)
    await trial.create("a", TEXT, b"first", expiry=expiry, retention=retention)
    async with trial.unchanged("a"):
        again = await trial.create("a", "Text/Plain; charset=utf-8", b"second", expiry=expiry, retention=retention)
        holds(not again.created, "a second create made another stream")
        equal(again.info, await trial.store.info("a"), "the info of a confirmed stream")


@chapter.promise
async def creating_closed_again_confirms(trial: Trial) -> None:
    """The same create of a closed stream again finds it."""
    await trial.create("a", TEXT, b"all", closed=True)
    holds(not (await trial.create("a", TEXT, b"all", closed=True)).created, "a second create made another stream")


@chapter.promise
async def another_configuration_is_refused(trial: Trial) -> None:
    """A create whose type, expiry, retention, policy or closure is not the stream's is refused, and changes nothing."""
    await trial.create("a", TEXT, b"kept", expiry=Expiry(ttl=60))
    async with trial.unchanged("a"):
        same = Expiry(ttl=60)
        await refused(StreamExists, trial.create("a", JSON, expiry=same), "another content type")
        await refused(StreamExists, trial.create("a", None, expiry=same), "the default content type")
        await refused(StreamExists, trial.create("a", TEXT, expiry=Expiry(ttl=61)), "another TTL")
        await refused(StreamExists, trial.create("a", TEXT), "no TTL")
        await refused(StreamExists, trial.create("a", TEXT, expiry=same, retention=Retention(count=1)), "retention")
        await refused(StreamExists, trial.create("a", TEXT, expiry=same, closed=True), "a closed stream")
        latest = SlowPolicy(Policy.LATEST)
        await refused(StreamExists, trial.create("a", TEXT, expiry=same, slow=latest), "another policy")


@chapter.promise
async def a_policy_for_slow_readers_is_kept(trial: Trial) -> None:
    """A stream has the policy it was created with, and replay without one; the same create again confirms it."""
    conflate = SlowPolicy(Policy.CONFLATE, "symbol")
    for _ in range(2):
        equal((await trial.create("a", JSON, slow=conflate)).info.slow, conflate, "the policy")
    equal((await trial.store.info("a")).slow, conflate, "the policy of the info")
    await refused(StreamExists, trial.create("a", JSON), "another policy")
    equal((await trial.create("b", JSON)).info.slow, SlowPolicy(), "the policy of a stream without one")
    await refused(BadRequest, trial.create("c", TEXT, slow=conflate), "conflation of text")
    await refused(StreamNotFound, trial.store.info("c"), "info of a stream that was not created")


@chapter.promise
async def an_open_create_of_a_closed_stream_is_refused(trial: Trial) -> None:
    """A create without closure does not confirm a stream that was closed meanwhile."""
    await trial.create("a")
    await trial.append("a", close=True)
    await refused(StreamExists, trial.create("a"), "create of a closed stream")
    holds(not (await trial.create("a", closed=True)).created, "the create with closure made another stream")


@chapter.promise
async def a_refused_create_leaves_nothing(trial: Trial) -> None:
    """A create with a body that is not the type's leaves no stream, and the path free."""
    await refused(InvalidBody, trial.create("a", JSON, b'{"cut": '), "a create with half a JSON value")
    await refused(StreamNotFound, trial.store.info("a"), "info of a stream that was not created")
    equal(await trial.store.list(), [], "the list")
    holds((await trial.create("a", TEXT)).created, "the path is not free")


@chapter.promise
async def paths_do_not_touch_each_other(trial: Trial) -> None:
    """Paths are told apart by every character: case, prefixes, dots, wildcards, accents, length."""
    paths = ["a", "A", "a/b", "a/b/c", "ab", "a_b", "a%", "é", "e\u0301", "日本/語", "😀", "long/" + "x" * 900]
    for number, path in enumerate(paths):
        holds((await trial.create(path, TEXT, b"%d" % number)).created, f"{path!r} was there before")
    for number, path in enumerate(paths):
        equal(await trial.contents(path), (b"%d" % number,), f"contents of {path!r}")
        equal((await trial.store.info(path)).path, path, "the path in info")
