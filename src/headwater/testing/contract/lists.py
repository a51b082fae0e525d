"""Listing streams."""

from __future__ import annotations

from headwater.model import Expiry
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal
from headwater.testing.contract.trial import TEXT, Trial

chapter = Chapter("lists")

# Byte order: capitals before small letters, and U+FFFF before the emoji, which UTF-16 would sort the other way.
PATHS = ("A", "B/x", "a", "a/1", "a/1/b", "a/2", "a%", "a_", "ab", "b", "é", "日本", "\uffee", "😀")


async def _listed(trial: Trial, *, prefix: str = "", after: str = "", limit: int = 100) -> list[str]:
    return [info.path for info in await trial.store.list(prefix=prefix, after=after, limit=limit)]


async def _create_all(trial: Trial) -> list[str]:
    for path in reversed(PATHS):
        await trial.create(path)
    return sorted(PATHS, key=str.encode)


@chapter.promise
async def an_empty_store_lists_nothing(trial: Trial) -> None:
    """A store without streams lists nothing."""
    equal(await _listed(trial), [], "the list")
    equal(await _listed(trial, prefix="a", after="b", limit=1), [], "the list after 'b'")


@chapter.promise
async def streams_come_in_byte_order(trial: Trial) -> None:
    """Streams are listed in the byte order of their paths, whatever the order of their creation."""
    ordered = await _create_all(trial)
    equal(await _listed(trial), ordered, "the list")


@chapter.promise
async def infos_are_whole(trial: Trial) -> None:
    """A listed stream has the same info as the stream asked by itself."""
    await trial.create("a", TEXT, b"one")
    await trial.create("b", None, b"two", closed=True)
    await trial.fork("c", "a")
    equal(await trial.store.list(), [await trial.store.info(path) for path in "abc"], "the list")


@chapter.promise
async def a_prefix_is_taken_literally(trial: Trial) -> None:
    """A prefix selects the paths that start with it; no character of it is a wildcard."""
    ordered = await _create_all(trial)
    for prefix in ("", "a", "a/", "a/1", "a%", "a_", "A", "é", "日", "😀", "%", "_", "*", "a[", "zzz", "\U0010ffff"):
        expected = [path for path in ordered if path.startswith(prefix)]
        equal(await _listed(trial, prefix=prefix), expected, f"the list with prefix {prefix!r}")


@chapter.promise
async def pages_join(trial: Trial) -> None:
    """Pages of any size, each after the last path of the one before, are together the list."""
    ordered = await _create_all(trial)
    for prefix in ("", "a", "a/"):
        for limit in (1, 2, 3, 100):
            paths: list[str] = []
            while page := await _listed(trial, prefix=prefix, after=paths[-1] if paths else "", limit=limit):
                equal(len(page) <= limit, True, f"at most {limit} streams in a page")
                paths += page
            expected = [path for path in ordered if path.startswith(prefix)]
            equal(paths, expected, f"pages of {limit} with prefix {prefix!r}")


@chapter.promise
async def a_page_may_start_at_a_path_that_is_gone(trial: Trial) -> None:
    """The path after which a page starts need not exist, nor have the prefix."""
    for path in ("a", "b", "c"):
        await trial.create(path)
    await trial.store.delete("b")
    equal(await _listed(trial, after="b"), ["c"], "the list after a deleted path")
    equal(await _listed(trial, after="c"), [], "the list after the last path")
    equal(await _listed(trial, prefix="c", after="a"), ["c"], "the list of prefix 'c' after 'a'")
    equal(await _listed(trial, prefix="a", after="b"), [], "the list of prefix 'a' after 'b'")


@chapter.promise
async def streams_are_counted(trial: Trial) -> None:
    """The count is of the streams that live, forks too; deleted ones are left out, also those kept for forks."""
    equal(await trial.store.count(), 0, "the count of an empty store")
    for path in ("a", "b", "dying"):
        await trial.create(path, expiry=Expiry(ttl=5) if path == "dying" else Expiry())
    await trial.fork("f", "a")
    equal(await trial.store.count(), 4, "the count")
    await trial.store.delete("a")
    await trial.store.delete("b")
    equal(await trial.store.count(), 2, "the count after two deletes")
    trial.clock.advance(5)
    await trial.sweep()
    equal(await trial.store.count(), 1, "the count when one has expired and was swept")
