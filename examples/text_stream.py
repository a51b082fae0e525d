"""Stream a text word by word, as a language model would, and close it at the end.

The text is the Zen of Python (PEP 20, public domain). Every word is one append of an idempotent producer, so a request
that is sent again after a cut is stored once.

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
import urllib.error
import urllib.request
import uuid


def zen() -> str:
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13") + "\n"


def send(url: str, method: str, body: bytes, **headers: str) -> None:
    """Send a request until it is answered: the server may be restarting."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise SystemExit(error.read().decode()) from None
        except OSError as error:
            print(f"waiting for the server: {error}")
        time.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("stream", nargs="?", default="texts/zen")
    parser.add_argument("--url", default=os.environ.get("HEADWATER_URL", "http://127.0.0.1:4437"))
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two words")
    arguments = parser.parse_args()
    url = f"{arguments.url}/v1/stream/{arguments.stream}"
    kind = "text/plain; charset=utf-8"
    send(url, "PUT", b"", Content_Type=kind)
    producer = uuid.uuid4().hex
    seq = 0
    for line in zen().splitlines(keepends=True):
        for word in line.split(" "):
            text = word if word.endswith("\n") else word + " "
            numbers = {"Producer_Id": producer, "Producer_Epoch": "0", "Producer_Seq": str(seq)}
            send(url, "POST", text.encode(), Content_Type=kind, **numbers)
            print(text, end="", flush=True)
            seq += 1
            time.sleep(arguments.pause)
    send(url, "POST", b"", Stream_Closed="true")


if __name__ == "__main__":
    main()
