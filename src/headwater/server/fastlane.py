"""The fast lane: small appends and short reads answered from uvicorn's protocol, without an ASGI scope, cycle and task.

Rule 1: it decides nothing. httptools parses the head, `protocol.requests` reads it, the hub works, `protocol.responses`
        answers, as for every other request; what is not plain goes the usual way through ASGI.
Rule 2: what is remembered of a head follows from its bytes alone. Nothing that changes with time or state may be.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headwater.asgi.handover import TransportSink
from headwater.asgi.streams import answer_short, is_live, lifetime_of, live_format, peer_of
from headwater.errors import HeadwaterError
from headwater.hub import Engine
from headwater.model import Appended, Mode
from headwater.protocol import names
from headwater.protocol.compression import Compressor
from headwater.protocol.cors import ANY, CorsPolicy, HostPolicy
from headwater.protocol.ledger import Append
from headwater.protocol.paths import NOTHING_PRIVATE, PrivatePaths
from headwater.protocol.requests import Inspect, Read, Write, check_write, parse_request
from headwater.protocol.responses import Answer, HeaderList, appended, coding_headers, failed, streaming
from headwater.server.heads import Head, Heads
from headwater.stores.base import Done

#: Bodies of this size arrive with their head, in one or two reads; larger ones gain nothing here.
MAX_BODY_BYTES: Final = 64 * 1024

_log: Final = logging.getLogger("headwater")

#: With one of these a request is not plain: it asks for something before its body, or is a page's.
_NOT_PLAIN: Final = (b"expect", b"transfer-encoding", b"upgrade", b"connection", names.ORIGIN)
#: In a URL that goes the usual way: encoded characters, a fragment.
_NOT_PLAIN_IN_URL: Final = (b"%", b"#")
#: A proxy says who reads, which uvicorn looks at for ASGI.
_FORWARDED: Final = (b"x-forwarded-for", b"x-forwarded-proto")
#: Heads of live answers that are kept, for a second at most: one for each type of stream, format and coding.
MAX_LIVE_HEADS: Final = 64
#: Stands for the offset in an answer that is kept.
_MARK: Final = "\0"


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What a head asks for.

    Attributes:
        method: as sent.
        command: the whole request but for its body.
        length: bytes of the body.
        live: the answer goes on and on.
    """

    method: bytes
    command: Write | Read | Inspect
    length: int
    live: bool = False


class FastLane:
    """What the connections of a server share.

    Args:
        hub: where requests go.
        prefix: where streams begin in URLs.
        allowed_hosts: names the server answers to.
        cors_origins: pages of other origins that may use the server; theirs go the usual way.
        compressor: of answers to reads; None: they are sent as they are.
        private: streams that are not served.
    """

    def __init__(
        self,
        hub: Engine,
        prefix: str,
        allowed_hosts: tuple[str, ...] = (ANY,),
        cors_origins: tuple[str, ...] = (),
        compressor: Compressor | None = None,
        private: PrivatePaths = NOTHING_PRIVATE,
    ) -> None:
        self._hosts = HostPolicy(allowed_hosts)
        self._hub = hub
        self._prefix = prefix.encode()
        self._limit = min(MAX_BODY_BYTES, hub.limits.max_body_bytes)
        self._extra = CorsPolicy(cors_origins).headers(None, b"")
        self._compressor = compressor or Compressor(None)
        self._private = private
        self._heads = Heads(self._understand)
        self._form_of: HeaderList = []
        self._forms: dict[bool, tuple[bytes, bytes]] = {}
        self._live_heads_of: HeaderList = []
        self._live_heads: dict[tuple[bytes, str, str], bytes] = {}

    def plan(self, head: bytes) -> Plan | None:
        """What a head asks for, with its empty line at the end; None: it goes the usual way."""
        return self._heads.meaning(head) if self._hub.is_open else None

    def _understand(self, head: Head) -> tuple[Plan | None, bool]:
        plan = self._plan(head)
        # A producer's and a sequence's numbers change with each request.
        numbered = (names.PRODUCER_ID, names.STREAM_SEQ)
        return plan, not any(name in head.headers for name in numbered)

    def _plan(self, head: Head) -> Plan | None:
        headers, url = head.headers, head.url
        if not url.startswith(self._prefix) or not url.isascii() or any(mark in url for mark in _NOT_PLAIN_IN_URL):
            return None
        if any(name in headers for name in _NOT_PLAIN) or not self._hosts.allows(headers.get(names.HOST, b"")):
            return None
        length = headers.get(names.CONTENT_LENGTH, b"" if head.method == b"POST" else b"0")
        if not length.isdigit() or len(length) > 6 or int(length) > self._limit:
            return None
        path, asks, query = url[len(self._prefix) :].partition(b"?")
        if asks and head.method != b"GET":
            return None
        try:
            command = parse_request(
                head.method.decode(),
                path.decode(),
                query,
                headers,
                max_path_bytes=self._hub.limits.max_path_bytes,
                private=self._private,
            )
        except HeadwaterError:
            return None
        match command:
            case Write():
                return Plan(head.method, command, int(length))
            case Inspect() | Read(mode=Mode.CATCH_UP) if length == b"0":
                return Plan(head.method, command, 0)
            case Read() if length == b"0" and is_live(command) and not any(name in headers for name in _FORWARDED):
                return Plan(head.method, command, 0, live=True)
        return None

    def live(self, head: bytes) -> Read | None:
        """The live read that a head asks for; None: it is none, or goes the usual way."""
        plan = self.plan(head)
        return plan.command if plan is not None and plan.live and isinstance(plan.command, Read) else None

    def listen(self, command: Read, transport: asyncio.Transport, date: HeaderList) -> bool:
        """Answer a live read: the transport is its reader's from now on.

        Args:
            command: what is asked for.
            transport: of a connection on which nothing is under way.
            date: the server's own headers; a new list when they change.

        Returns:
            False: it cannot be answered at once, or not at all; nothing was done.
        """
        hub, audience = self._hub, self._hub.audience
        lifetime, client = lifetime_of(hub, command), transport.get_extra_info("peername")
        try:
            coding = self._compressor.live(command.accept_encoding)
        except HeadwaterError:
            return False
        peer, form = peer_of(command, client if isinstance(client, tuple) else None), live_format(command, coding)
        greeting = audience.greeting(command.path, command.offset, form) if command.slow is None else None
        if greeting is not None:
            hub.stats.resumes += command.resumed
            head = self._live_head(greeting.feed.encoder.media_type, greeting.content_type, coding.token, date)
            audience.greet(command.path, greeting, TransportSink(transport, audience), peer, head)
            return True
        reader = audience.open_at_once(
            command.path,
            command.offset,
            lifetime=lifetime,
            slow=command.slow,
            peer=peer,
            first_bytes=hub.limits.buffer_bytes,
        )
        if reader is None:
            return False
        with reader:
            hub.stats.resumes += command.resumed
            content_type = reader.info.content_type
            encoder = form.encoder(content_type)
            head = self._live_head(encoder.media_type, content_type, coding.token, date)
            sink = TransportSink(transport, audience)
            audience.push(reader, form, sink, lifetime=lifetime, encoder=encoder, head=head)
        return True

    def _live_head(self, media_type: bytes, content_type: str, coding: str, date: HeaderList) -> bytes:
        if date is not self._live_heads_of or len(self._live_heads) >= MAX_LIVE_HEADS:
            self._live_heads_of = date
            self._live_heads.clear()
        key = (media_type, content_type, coding)
        head = self._live_heads.get(key)
        if head is None:
            answer = streaming(media_type, content_type)
            extra = coding_headers(coding, varies=bool(self._compressor.offered))
            framing = [(b"transfer-encoding", b"chunked"), (b"connection", b"close")]
            lines = [name + b": " + value for name, value in (*date, *answer.headers, *self._extra, *extra, *framing)]
            head = self._live_heads[key] = STATUS_LINE[answer.status] + b"\r\n".join([*lines, b"", b""])
        return head

    def append(self, command: Write, body: bytes, done: Done) -> None:
        """Begin an append; `done` is called once, before or after this returns."""
        try:
            if not body or command.content_type is None:
                check_write(command, body)
            request = Append(body, command.content_type, command.producer, command.seq, command.close, command.failure)
            self._hub.post(command.path, request, done)
        except Exception as error:
            done(error)

    def read(self, command: Read | Inspect) -> Coroutine[Any, Any, Answer]:
        """The answer to a read."""
        return answer_short(self._hub, command, self._compressor)

    def appended(self, outcome: Appended | Exception, plan: Plan, date: HeaderList, *, keep_alive: bool) -> bytes:
        """The answer to an append.

        Args:
            outcome: what `append` was done with.
            plan: of the request.
            date: the server's own headers; a new list when they change.
            keep_alive: the connection goes on.
        """
        if not isinstance(outcome, Appended):
            return self.failed(outcome, plan, date, keep_alive=keep_alive)
        self._hub.stats.acknowledged(plan.length, outcome)
        # Of all others only the offset and the closure are told.
        if outcome.producer is not None or outcome.failure is not None or not keep_alive:
            answer = appended(outcome, with_body=plan.length > 0)
            return self.to_bytes(answer, plan, date, keep_alive=keep_alive)
        if date is not self._form_of:
            self._form_of = date
            self._forms.clear()
        form = self._forms.get(outcome.closed)
        if form is None:
            answer = appended(Appended(_MARK, outcome.closed), with_body=True)
            before, _, after = self.to_bytes(answer, plan, date, keep_alive=True).partition(_MARK.encode())
            form = self._forms[outcome.closed] = (before, after)
        return form[0] + outcome.next_offset.encode() + form[1]

    def failed(self, error: BaseException, plan: Plan, date: HeaderList, *, keep_alive: bool) -> bytes:
        """The answer to a request that was refused, or came to a mistake in the program."""
        if not isinstance(error, HeadwaterError):
            _log.error("%s %s", plan.method.decode(), plan.command.path, exc_info=error)
            error = HeadwaterError("the server made an error; its log has the details")
        self._hub.stats.errors[error.code] += 1
        return self.to_bytes(failed(error), plan, date, keep_alive=keep_alive)

    def to_bytes(self, answer: Answer, plan: Plan, date: HeaderList, *, keep_alive: bool) -> bytes:
        """A whole answer in HTTP/1.1."""
        head_only = plan.method == b"HEAD"
        parts: list[bytes] = [STATUS_LINE[answer.status]]
        for name, value in (*date, *answer.headers, *self._extra):
            parts += (name, b": ", value, b"\r\n")
        if answer.status not in (204, 304) and not head_only:
            parts.append(b"content-length: %d\r\n" % len(answer.body))
        if not keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", b"" if head_only else answer.body)
        return b"".join(parts)
