"""Write the synchronous client from the asynchronous one, or with --check fail if it is stale.

Rule: a module that is generated is the other one, word by word, with the words of this table replaced. What cannot be
said so (time, sockets, threads) is in `clock`, `http` and `appends`, which both kinds have by hand.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

CLIENT: Final = Path(__file__).resolve().parent.parent / "src" / "headwater" / "client"
MODULES: Final = ("attempts", "doors", "reader", "stream")
NOTE: Final = "# Written by scripts/sync_client.py from {name}.py; do not edit.\n"
WORDS: Final = (
    (r"AsyncGenerator\[((?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*), None\]", r"Generator[\1, None, None]"),
    (r"\bAsyncGenerator\b", "Generator"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAbstractAsyncContextManager\b", "AbstractContextManager"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\baclosing\b", "closing"),
    (r"\bAsyncExitStack\b", "ExitStack"),
    (r"\benter_async_context\b", "enter_context"),
    (r"\banext\b", "next"),
    (r"\baclose\b", "close"),
    (r"\b__a(iter|next|enter|exit)__\b", r"__\1__"),
    (r"\bheadwater\.client\.(attempts|clock|doors|http|reader|appends|stream)\b", r"headwater.client.sync.\1"),
)


def made(name: str) -> str:
    """The text of a generated module, formatted as the rest is."""
    text = (CLIENT / f"{name}.py").read_text()
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    ruff = Path(sys.executable).parent / "ruff"
    where = ["--stdin-filename", str(CLIENT / "sync" / f"{name}.py"), "-"]
    for command in (["check", "--quiet", "--select", "I", "--fix"], ["format", "--quiet"]):
        text = subprocess.run([ruff, *command, *where], input=text, capture_output=True, text=True, check=True).stdout
    return NOTE.format(name=name) + text


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name in MODULES:
        path = CLIENT / "sync" / f"{name}.py"
        text = made(name)
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text)
    if check and stale:
        print(f"stale: {', '.join(stale)}; run python -m scripts.sync_client")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
