"""Run a program with a Redis of its own: with_redis.py FOLDER COMMAND...; its socket is in REDIS_SOCKET."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

STOP_SECONDS = 5.0


def main() -> int:
    """Both end with this process, and this process with either."""
    folder, command = Path(sys.argv[1]), sys.argv[2:]
    socket = folder / "redis.sock"
    # Nothing is written to the disk: what is kept is gone with the process.
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    redis = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    while not socket.exists():
        if redis.poll() is not None:
            return 1
        time.sleep(0.02)
    server = subprocess.Popen(command, env={**os.environ, "REDIS_SOCKET": str(socket)})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        return server.wait()
    finally:
        for process in (server, redis):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
