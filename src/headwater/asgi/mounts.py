"""Where an application is in the URLs of its server: what of a path is below it, and what clients call it.

`root_path` is the part of the URL before the application, for the links it makes. Whether `path` begins with it depends
on who set it: uvicorn and Starlette's `Mount` see to that; hypercorn, and `FastAPI(root_path=…)` behind a proxy that
strips the prefix, do not. In a `Mount` the part of the mount is in `path` in any case, and `app_root_path` is what
`root_path` was before it.

Rule: a path that is below neither has no place here. To take all of it would be another stream than the client means.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from headwater.asgi.types import Scope
from headwater.errors import RouteNotFound


def route_path(scope: Scope) -> str:
    """The path below the application, decoded; empty, or with a leading slash.

    Raises:
        RouteNotFound: the path is not below its mount.
    """
    path: str = scope["path"]
    return path[len(_before(scope)) :]


def raw_route_path(scope: Scope) -> str:
    """The path below the application, percent-encoded as it was sent.

    Raises:
        RouteNotFound: see `route_path`.
    """
    raw, before = _raw_path(scope), _before(scope)
    if raw.startswith(before):
        return raw[len(before) :]
    # The mount's own part may be encoded, too.
    end = next((at for at, mark in enumerate(raw) if mark == "/" and unquote(raw[:at]) == before), len(raw))
    return raw[end:]


def raw_root(scope: Scope) -> str:
    """The part of the request's URL before the application as clients know it, with what a proxy took away."""
    return quote(scope.get("root_path", ""), safe="/:@!$&'()*+,;=~")


def _before(scope: Scope) -> str:
    """The part of `path` before the application (the rule of Starlette's `get_route_path`, and of its `Mount`)."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or _is_below(path, root):
        return root
    outer: str | None = scope.get("app_root_path")
    if outer is None:
        return ""
    mount = root.removeprefix(outer)
    if not _is_below(path, mount):
        raise RouteNotFound(f"{path[:80]!r} is not below root_path={root[:80]!r}, nor below its mount {mount[:80]!r}")
    return mount


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _raw_path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"]) if raw is None else raw.partition(b"?")[0].decode("latin-1")
