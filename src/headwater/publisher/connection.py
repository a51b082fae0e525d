"""One HTTP/1.1 connection to the server, and what its answers mean."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlsplit

from headwater.publisher.errors import Refused, Trouble

#: Where the server has its streams, unless the URL says otherwise.
_PREFIX: Final = "/v1/stream/"
#: What passes: a request that is sent again may be answered.
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ERRORS: Final = 400

#: Headers of every request, or a function that is asked for them each time, so that tokens can change.
Headers = Mapping[str, str] | Callable[[], Mapping[str, str]]


class Connection:
    """A connection that is opened when it is needed, and anew after trouble.

    Args:
        url: of the server, `http://127.0.0.1:4437`; with a path it is that of all streams.
        headers: of every request, or a function that gives them each time.
        timeout: seconds to connect, and to wait for an answer.
        context: how to check a server that speaks TLS; None: as the system does.

    Raises:
        ValueError: it is no http or https URL.
    """

    def __init__(self, url: str, headers: Headers, timeout: float, context: ssl.SSLContext | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"give the URL of a server, such as http://127.0.0.1:4437, not {url!r}")
        self._is_tls: Final = parts.scheme == "https"
        self._host: Final = parts.hostname
        self._port: Final = parts.port
        self._prefix: Final = parts.path.rstrip("/") + "/" if parts.path.strip("/") else _PREFIX
        self._headers: Final = headers
        self._timeout: Final = timeout
        self._context: Final = context
        self._client: http.client.HTTPConnection | None = None
        self._is_given_up = False

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Mapping[str, str]:
        """The headers of the answer.

        Raises:
            Refused: the server refuses.
            Trouble: there is no answer, or one that passes.
        """
        try:
            client = self._client or self._open()
            if self._is_given_up:
                raise OSError("given up")
            client.request(method, self._prefix + quote(path), body or None, {**self._given(), **headers})
            if self._is_given_up:
                raise OSError("given up")
            answer = client.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Trouble(f"no answer from {self._host}: {error or type(error).__name__}") from None
        found = {name.lower(): value for name, value in answer.getheaders()}
        if answer.will_close:
            self.close()
        if answer.status < _ERRORS:
            return found
        kind = Trouble if answer.status in _PASSING else Refused
        code, detail = _problem(text)
        message = f"{answer.status} {code}: {detail}" if code else f"the server answered {answer.status}"
        refusal = kind(message, code=code, status=answer.status, retry_after=_seconds(found.get("retry-after")))
        refusal.headers = found
        raise refusal

    def _given(self) -> Mapping[str, str]:
        return self._headers() if callable(self._headers) else self._headers

    def _open(self) -> http.client.HTTPConnection:
        if self._is_tls:
            self._client = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._context
            )
        else:
            self._client = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return self._client

    def give_up(self) -> None:
        """End a request that is under way, from another thread, and every later one."""
        self._is_given_up = True
        client = self._client
        sock = None if client is None else client.sock
        if sock is not None:
            # Of the plain socket: what TLS has to say is for the thread that reads it.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; the next request opens it anew."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _problem(text: bytes) -> tuple[str, str]:
    with suppress(ValueError, AttributeError):
        problem = json.loads(text)
        return str(problem.get("code", "")), str(problem.get("detail", ""))
    return "", ""


def _seconds(text: str | None) -> float:
    with suppress(ValueError, TypeError):
        return max(0.0, float(text or ""))
    return 0.0
