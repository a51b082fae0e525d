"""The decision: what everybody may do, and what who asks may.

Rule: it is made before the store is touched, from the grants and the paths alone. So it is the same for a stream that
      is there and for one that is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final
from unicodedata import is_normalized

from headwater.errors import InvalidPath, NotAuthorized, NotGranted
from headwater.http.authorize import Credential
from headwater.protocol.access.grants import NOTHING, Grants
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask, Operation

#: Says who shows a credential; None: nobody, or nothing is shown.
Identify = Callable[[Credential, "tuple[str, int] | None"], "Access | Awaitable[Access | None] | None"]


class Guard:
    """Decides about each request; see `Authorize`.

    Args:
        identify: says who asks; None: nobody is anybody, and only what is public may be done.
        public: patterns of what everybody may do, by the operation.

    Raises:
        ValueError: one of the patterns is none, or no operation of this name may be public.
    """

    def __init__(self, identify: Identify | None, public: Mapping[str, Iterable[str]] | None = None) -> None:
        self.identify: Final = identify
        self.public: Final = public_grants(public or {})

    def __call__(
        self, asks: tuple[Ask, ...], credential: Credential, client: tuple[str, int] | None
    ) -> Access | Awaitable[Access]:
        """The access that is granted.

        Raises:
            HeadwaterError: it is refused.
        """
        found = None if self.identify is None else self.identify(credential, client)
        if found is None or isinstance(found, Access):
            return self.decide(asks, found)
        return self._later(asks, found)

    async def _later(self, asks: tuple[Ask, ...], found: Awaitable[Access | None]) -> Access:
        return self.decide(asks, await found)

    def decide(self, asks: tuple[Ask, ...], access: Access | None) -> Access:
        """`decide`, with what is public here."""
        return decide(asks, access, self.public)


def decide(asks: tuple[Ask, ...], access: Access | None, public: Grants) -> Access:
    """The access with which all that is asked may be done.

    Args:
        asks: each of them.
        access: of who asks; None: nobody said who it is.
        public: what everybody may do.

    Raises:
        InvalidPath: a path could be taken for another one.
        NotAuthorized, NotGranted: it may not be done.
    """
    grants = NOTHING if access is None else access.grants
    for ask in asks:
        operation, path = ask.operation, ask.path
        if not (path.isascii() or is_normalized("NFC", path)):
            raise InvalidPath("the path is not in Unicode's form NFC, so that another one looks the same")
        if grants.allows(operation, path) or public.allows(operation, path):
            continue
        if access is None:
            raise NotAuthorized(f"{operation} is not for everybody here")
        error = NotGranted(f"this credential does not allow {operation} here")
        error.principal = access.principal
        raise error
    return access or ANYBODY


def public_grants(public: Mapping[str, Iterable[str]]) -> Grants:
    """What everybody may do.

    Raises:
        ValueError: one of the patterns is none, or no operation of this name may be public.
    """
    found: dict[Operation, list[str]] = {}
    for name, patterns in public.items():
        if name not in {*Operation} - {Operation.REVOKE} or isinstance(patterns, str):
            raise ValueError(f"public takes lists of patterns by operation, {', '.join(Operation)}; not {name!r}")
        found[Operation(name)] = [*patterns]
    return Grants(found)
