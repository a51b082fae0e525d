"""Stream a text word by word, as a language model would, and close it at the end.

The text is the Zen of Python (PEP 20, public domain). Every word is one append of a publisher. It waits while the
server is away, and what it sends again after a cut is stored once.

    headwater serve
    python examples/text_stream.py                       # in another terminal
    headwater tail texts/zen                             # in a third: the words as they come

What to see: stop `tail` and start it again, or restart the server: no word is lost or repeated, and the reader ends by
itself because the stream is closed.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import os
import time

from headwater.publisher import Publisher


def zen() -> str:
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13") + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("stream", nargs="?", default="texts/zen")
    parser.add_argument("--url", default=os.environ.get("HEADWATER_URL", "http://127.0.0.1:4437"))
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two words")
    arguments = parser.parse_args()
    with Publisher(arguments.url) as publisher:
        for line in zen().splitlines(keepends=True):
            for word in line.split(" "):
                text = word if word.endswith("\n") else word + " "
                publisher.append(arguments.stream, text, create="text/plain; charset=utf-8", timeout=None)
                print(text, end="", flush=True)
                time.sleep(arguments.pause)
        publisher.append(arguments.stream, close=True, timeout=None)


if __name__ == "__main__":
    main()
