"""The published client of the protocol, from PyPI, reads a stream up to its tail: python official.py URL KIND"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

from durable_streams import stream


def main(url: str, kind: str) -> None:
    answer: Any
    token = os.environ.get("OFFICIAL_TOKEN")
    with stream(url, live=False, headers={"authorization": f"Bearer {token}"} if token else {}) as answer:
        if kind == "json":
            found = json.dumps(answer.read_json(), separators=(",", ":"), ensure_ascii=False).encode()
        else:
            found = answer.read_bytes()
        hash_ = hashlib.sha256(found).hexdigest()
        sys.stdout.write(json.dumps({"hash": hash_, "offset": answer.offset, "up_to_date": answer.up_to_date}))


if __name__ == "__main__":
    main(*sys.argv[1:])
