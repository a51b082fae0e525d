"""What a hub can be told: streams created, appended to, closed and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from threading import get_ident
from typing import Any

from headwater.errors import (
    NotAtomic,
    PreconditionFailed,
    SourceGone,
    StreamExists,
    StreamGone,
    StreamNotFound,
    TooLarge,
)
from headwater.hub.arguments import check_append, check_kind, check_struct, principal_of, stream_config
from headwater.hub.checked import Into
from headwater.hub.eager import begin
from headwater.hub.lifespan import Gate
from headwater.hub.places import Places
from headwater.hub.reads import Reads
from headwater.hub.together import appends_of_entries, check_together, created_of
from headwater.model import (
    Appended,
    Created,
    Entry,
    Failure,
    ForkPoint,
    Principal,
    Producer,
    Retention,
    StreamConfig,
    StreamInfo,
)
from headwater.protocol.failure import check_failure
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, check_body, encode_value
from headwater.protocol.ledger import Append
from headwater.protocol.paths import check_path
from headwater.protocol.preconditions import ANY, Condition, at_tail
from headwater.protocol.recreate import path_held
from headwater.protocol.without_body import check_create
from headwater.stores.base import Atomic, Attributing, Done
from headwater.stores.posting import Post, posted


class Writes(Reads):
    """The writing half of the engine."""

    _gate: Gate
    _places: Places
    _into: Into
    _post: Post
    #: Bytes of a body of which no limit need be asked: a record has one at least.
    _small: int

    async def create(
        self,
        path: str,
        *,
        content_type: str | None = None,
        ttl: int | None = None,
        expires_at: float | None = None,
        retention: Retention | None = None,
        slow: str = "replay",
        body: bytes = b"",
        closed: bool = False,
        exclusive: bool = False,
        by: str | Principal | None = None,
    ) -> StreamInfo:
        """Create a stream, or confirm that the same one exists.

        Args:
            path: without a leading slash: `jobs/7`; in NFC, no `*`, `{` or `}`, no segment `-`, no `__ds` in front.
            content_type: MIME type; None: application/octet-stream. `application/json`, `application/msgpack` and
                `application/x-protobuf`, also with `encoding=delimited`, keep records apart.
            ttl: seconds of idleness after which it expires.
            expires_at: seconds since the Unix epoch when it expires in any case.
            retention: how much of it is kept.
            slow: what its slow readers get that do not choose for themselves: `replay`, `latest`, `conflate:KEY`,
                `disconnect`.
            body: its first content.
            closed: create it closed, with `body` as all it will ever hold.
            exclusive: refuse when there is a stream at the path, also the same one.
            by: who appends its first content; see `append`.

        Raises:
            StreamExists: another one is at the path; with `exclusive`, any.
            InvalidPath, InvalidBody, SchemaMismatch, BadRequest, LimitReached, StoreUnavailable: see `errors`.
            TypeError: an argument of another type.
        """
        config = stream_config(content_type, ttl, expires_at, retention, slow)
        condition = Condition(if_none_match=(ANY,)) if exclusive else None
        who = None if by is None else principal_of(by)
        try:
            return (await self.create_stream(path, config, body, closed=closed, condition=condition, by=who)).info
        except PreconditionFailed:
            raise StreamExists(f"there is a stream at {path!r} already") from None

    async def fork(self, path: str, source: str, *, offset: str | None = None, sub_offset: int = 0) -> StreamInfo:
        """Create a stream that shares another one's records up to an offset, without copying them.

        Args:
            path: the new stream.
            source: the stream to fork.
            offset: where they part; None: at the source's tail.
            sub_offset: records (JSON) or bytes to share beyond `offset`.

        Raises:
            StreamNotFound, SourceGone, InvalidOffset, StreamExists, BadRequest: see `errors`.
        """
        config = StreamConfig(fork=ForkPoint(check_path(source), offset, sub_offset))
        return (await self.create_stream(path, config)).info

    async def create_stream(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        by: Principal | None = None,
        maker: Principal | None = None,
    ) -> Created:
        """`create` and `fork` with everything spelled out.

        Args:
            path: see `create`, and so are the others.
            config: with what it is created.
            body: its first content.
            closed: create it closed.
            condition: what must be so.
            by: who appends its first content.
            maker: whose stream it is; see `Places.make_all`.

        Raises:
            PreconditionFailed: the condition does not hold; and as `create` and `fork`.
        """
        check_kind("path", path, str, optional=False)
        check_kind("body", body, bytes, optional=False)
        check_struct("config", config, StreamConfig)
        self._check_writable(body)
        most = self.limits.max_append_records
        create = partial(self._into.create, closed=closed, condition=condition, max_records=most)
        if by is not None and body and isinstance(self.store, Attributing):
            create = partial(create, by=by)
        return await self._places.make(path, config, lambda: begin(create(path, config, body)), maker)

    async def check_create(
        self,
        path: str,
        config: StreamConfig,
        *,
        closed: bool = False,
        condition: Condition | None = None,
        by: Principal | None = None,
    ) -> None:
        """Refuse what `create_stream` would refuse whatever the body is, before it is there.

        Raises:
            As `create_stream`.
        """
        self._gate.check()
        there, source, fork = await self._find(path), None, config.fork
        await self._places.check(path, config, by, is_there=there is not None)
        if there is None and fork is not None:
            try:
                source = await self.store.info(fork.source)
            except StreamGone as error:
                raise SourceGone(error.message) from None
        check_create(path, config, there, source, closed=closed, condition=condition)

    async def append(
        self,
        path: str,
        data: Any,
        *,
        producer: Producer | None = None,
        seq: str | None = None,
        close: bool = False,
        if_match: str | None = None,
        create: StreamConfig | None = None,
        by: str | Principal | None = None,
    ) -> Appended:
        """Append to a stream; returns when the store has it, as durable as the store is set to be.

        Args:
            path: the stream.
            data: one record: in a JSON stream any value that encodes as JSON, in one of MessagePack the same, in one of
                Protobuf a message; elsewhere bytes, or text as UTF-8. Bytes are a body as over HTTP: a JSON array,
                several MessagePack values, or, where the stream has them so, several messages with their lengths in
                front, are as many records. Empty only with `close`.
            producer: makes the append idempotent.
            seq: must grow with every append that has one, in byte order.
            close: close the stream with this record.
            if_match: append only if the tail is at this offset: that nothing was appended since it was read.
            create: with what to create the stream in the same step, if there is none; no fork. One that is there is
                taken as it is, if the content type is the same.
            by: who appends it: a subject of the application's own, or a `Principal`. It is kept with the record, and
                readers find it in `Record.by`; nobody is asked whether it is so. None: nobody is named.

        Raises:
            PreconditionFailed: the tail is elsewhere; its `details["next_offset"]` says where.
            StreamNotFound, StreamGone, StreamClosed, InvalidBody, SchemaMismatch, BadRequest, TooLarge,
            SequenceRegression, ProducerFenced, ProducerGap, InvalidProducer, StoreUnavailable: see `errors`; nothing
            was written. With `create` also ContentTypeMismatch, InvalidPath, LimitReached.
            TypeError: an argument of another type.
        """
        self._gate.check()
        check_append(path, producer, seq, if_match, create)
        kind = None if create is None else create.content_type
        who = None if by is None else principal_of(by)
        try:
            known = (await self.store.info(path)).content_type
        except StreamNotFound:
            if create is None:
                raise
            known = kind = kind or DEFAULT_CONTENT_TYPE
        body = encode_value(known, data)
        condition = at_tail(if_match)
        return await self.write(path, Append(body, kind, producer, seq, close, None, condition, create, by=who))

    async def _find(self, path: str) -> StreamInfo | None:
        """The stream at a path that is to be made; None: none.

        Raises:
            StreamExists: a deleted one, which forks still read.
        """
        try:
            return await self.store.info(path)
        except StreamNotFound:
            return None
        except StreamGone:
            raise path_held(path) from None

    async def write(self, path: str, request: Append, maker: Principal | None = None) -> Appended:
        """`append` with a body as HTTP has it; `maker`: see `Places.make_all`."""
        self._check_writable(request.body)
        check_body(request.body, close=request.close)
        bounded = request.bounded(self.limits.max_append_records)
        if bounded.create is None:
            answer = await self._into.append(path, bounded)
        else:
            answer = await self._places.make(path, bounded.create, partial(posted, self._post, path, bounded), maker)
        self.stats.acknowledged(len(request.body), answer)
        return answer

    async def append_all(self, entries: Iterable[Entry | tuple[str, Any]]) -> list[Appended]:
        """Append to several streams in one commit: all of it is written, or nothing, also after a crash.

        A path may come more than once; each append sees those before it. A producer's duplicate is a success.

        Args:
            entries: each an `Entry`, or a path and its record; up to `MAX_ENTRIES`, and `limits.max_append_records`
                records in all of them.

        Returns:
            The answers, in the same order.

        Raises:
            What `append` raises for one of them, with `line` (from 1) and `stream` in its `details`. Nothing was
            written.
            TooLarge, TooManyRecords: they are too many, or too large together.
            NotAtomic: the store has no such step.
            TypeError: an entry of another type.
        """
        return await self.write_all(await appends_of_entries(entries))

    async def write_all(self, appends: Sequence[tuple[str, Append]], maker: Principal | None = None) -> list[Appended]:
        """`append_all` with bodies as HTTP has them; `maker`: see `Places.make_all`."""
        self._gate.check()
        store, limits = self.store, self.limits
        if not isinstance(store, Atomic):
            raise NotAtomic(f"{type(store).__name__} cannot write several appends in one step")
        check_together(appends, limits.max_body_bytes)
        write = partial(self._into.append_all, appends, max_records=limits.max_append_records)
        creates = {path: request.create for path, request in appends if request.create is not None}
        if creates:
            answers = await self._places.make_all(creates, lambda: begin(write()), partial(created_of, appends), maker)
        else:
            answers = await write()
        for (_, request), answer in zip(appends, answers, strict=True):
            self.stats.acknowledged(len(request.body), answer)
        return answers

    def post(self, path: str, request: Append, done: Done) -> None:
        """`write`, answered by a call of `done` unless StoreUnavailable or TooLarge is raised; see `stores.Posting`.

        Not for an append with `create`: whether there is room for a stream, the store is asked first. What `done` is
        called with is to be counted: `stats.acknowledged`.
        """
        gate = self._gate
        if get_ident() != gate.thread:
            raise gate.refusal()
        if not 0 < len(request.body) <= self._small:
            request = self._looked_at(request)
        if request.create is not None:
            raise ValueError("an append that may create its stream takes write(), not post()")
        self._post(path, request, done)

    def _looked_at(self, request: Append) -> Append:
        self._check_size(request.body)
        check_body(request.body, close=request.close)
        return request.bounded(self.limits.max_append_records)

    async def close(self, path: str) -> Appended:
        """Close a stream: its readers are told that it is complete. Closing it again changes nothing.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable: see `errors`.
        """
        return await self.write(path, Append(close=True))

    async def fail(self, path: str, code: str, message: str = "") -> Appended:
        """Close a stream that is not complete: its readers are told so, with the reason. Again with the same: nothing.

        Args:
            path: the stream.
            code: for programs: 1 to 64 lower-case letters, digits and hyphens.
            message: for people: up to 1,000 characters in one line.

        Raises:
            StreamNotFound, StreamGone, StreamClosed, BadRequest, StoreUnavailable: see `errors`.
        """
        return await self.write(path, Append(close=True, failure=check_failure(Failure(code, message))))

    async def delete(self, path: str, *, if_match: str | None = None) -> None:
        """Delete a stream and its records; forks of it stay readable.

        Args:
            path: the stream.
            if_match: delete only if the tail is at this offset.

        Raises:
            PreconditionFailed: the tail is elsewhere.
            StreamNotFound, StreamGone, StoreUnavailable: see `errors`.
        """
        await self.delete_stream(path, at_tail(if_match))

    async def delete_stream(self, path: str, condition: Condition | None) -> None:
        """`delete` with a condition as HTTP has it."""
        self._check_writable(b"")
        await self._into.delete(path, condition=condition)

    def _check_writable(self, body: bytes) -> None:
        self._gate.check()
        self._check_size(body)

    def _check_size(self, body: bytes) -> None:
        if len(body) > self.limits.max_body_bytes:
            raise TooLarge(f"the body has {len(body)} bytes, the limit is max_body_bytes={self.limits.max_body_bytes}")
