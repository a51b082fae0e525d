"""What `import headwater.client` loads, and what it costs beside httpx2."""

from __future__ import annotations

import ast
import subprocess
import sys

#: What is loaded when it is used, and not before.
HALVES = ("hub", "http", "server", "stores")
LATE = ["websockets", "sqlite3", "pydantic", "aiohttp", *(f"headwater.{half}" for half in HALVES)]
#: Modules that may come beside httpx2's and the standard library's.
MOST = 60

# asyncio is what any program with httpx2's asynchronous half has loaded.
CODE = """
import sys
import httpx2, {before}
before = set(sys.modules)
import headwater.client{what}
print(sorted(set(sys.modules) - before))
"""


def loaded(what: str = "", before: str = "asyncio") -> list[str]:
    code = CODE.format(what=what, before=before)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = ast.literal_eval(run.stdout)
    return found


def test_the_client_loads_nothing_that_is_not_used() -> None:
    """No WebSocket library, no database, no pydantic, no hub, and few modules at all."""
    found = loaded("; headwater.client.Stream; headwater.client.StreamWriter")
    assert not [name for name in found if name.startswith(tuple(LATE))]
    assert len(found) <= MOST
    packages = {name.partition(".")[0] for name in found} - set(sys.stdlib_module_names)
    assert packages <= {"headwater", "msgspec", "typing_extensions"}


def test_a_connection_loads_its_library_when_it_connects() -> None:
    """To name one costs the messages of the protocol, and no WebSocket library."""
    found = loaded("; headwater.client.Connection('http://127.0.0.1:1/').stream('a')")
    assert not [name for name in found if name.startswith(tuple(LATE))]


def test_the_client_without_asyncio_loads_nothing_more() -> None:
    """The same of `headwater.client.sync`."""
    assert not [name for name in loaded(".sync, headwater.client") if name.startswith(tuple(LATE))]
