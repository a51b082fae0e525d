"""Follow a growing file, such as a log, into a JSON stream: over rotation, restarts of this program and of the server.

    python examples/tail_file.py /var/log/syslog logs/syslog      # beside `headwater serve`
    headwater tail logs/syslog                                    # in a third terminal

What to see: kill this program, let the file grow or be renamed by logrotate, start it again: every line is in the
stream once. Nothing is kept beside the stream: each record says in which file (inode) and where its line ended, so the
last record says where to go on. `Stream-Seq` grows with it, so a request that is sent again after a cut is stored once.
Run one copy for a stream; lines of a file that was removed before they were read are lost.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

BATCH_BYTES = 256 * 1024
PAUSE = 0.2


def send(url: str, method: str, body: bytes | None = None, seq: str = "") -> tuple[Any, bytes]:
    """The headers and body of an answer; waits for a server that is away."""
    headers = {"Content-Type": "application/json"} | ({"Stream-Seq": seq} if seq else {})
    request = urllib.request.Request(url, body, headers, method=method)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            if seq and error.code == 409 and json.loads(text).get("last") == seq:  # stored by an earlier attempt
                return error.headers, b""
            if error.code != 503:
                raise SystemExit(text.decode()) from None
        except OSError as error:
            print(f"waiting for the server: {error}")
        time.sleep(1)


def last_record(url: str) -> dict[str, Any]:
    """The newest record, or what stands for "nothing yet"."""
    found: dict[str, Any] = {"turn": 0, "inode": 0, "end": 0}
    offset = "-1"
    while True:
        headers, body = send(f"{url}?offset={offset}", "GET")
        found = (json.loads(body) or [found])[-1]
        offset = headers["Stream-Next-Offset"]
        if headers["Stream-Up-To-Date"]:
            return found


def find(path: Path, inode: int) -> Path | None:
    """The file with this inode, under its own or a rotated name such as `log.1`."""
    names = [path, *sorted(path.parent.glob(path.name + ".*"))]
    return next((name for name in names if name.exists() and name.stat().st_ino == inode), None)


def next_lines(source: Path, at: dict[str, Any], *, rotated: bool) -> list[dict[str, Any]]:
    """Whole lines as records; of a file that was rotated away, an unfinished last line as well."""
    records: list[dict[str, Any]] = []
    end = at["end"]
    with source.open("rb") as file:
        if os.fstat(file.fileno()).st_ino == at["inode"]:  # else it was rotated a moment ago
            file.seek(end)
            for line in file.readlines(BATCH_BYTES):
                if line.endswith(b"\n") or rotated:
                    end += len(line)
                    records.append({**at, "end": end, "line": line.decode(errors="replace").rstrip("\r\n")})
    return records


def main() -> None:
    path, stream = Path(sys.argv[1]), sys.argv[2]
    url = f"{os.environ.get('HEADWATER_URL', 'http://127.0.0.1:4437')}/v1/stream/{stream}"
    send(url, "PUT")
    at = last_record(url)
    while True:
        source = find(path, at["inode"])
        known = source is not None and source.stat().st_size >= at["end"]  # else never seen, removed or cut short
        records = next_lines(source, at, rotated=source != path) if source and known else []
        if records:
            at = {key: records[-1][key] for key in at}
            seq = f"{at['turn']:010d}.{at['end']:016d}"
            send(url, "POST", json.dumps(records).encode(), seq)
        elif path.exists() and (source != path or not known):
            at = {"turn": at["turn"] + 1, "inode": path.stat().st_ino, "end": 0}
        else:
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
