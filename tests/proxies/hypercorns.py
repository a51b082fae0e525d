"""A mounted hub under hypercorn, with TLS and HTTP/2."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.proxies.fronts import HOST, Certificates
from tests.support.processes import ServerProcess, free_port

_APP = """
from fastapi import FastAPI
from headwater import Hub, Limits

hub = Hub({store!r}, limits=Limits(**{limits!r}))
app = FastAPI(lifespan=hub.lifespan)
app.mount("/v1/stream", hub.asgi)
"""


class HypercornProcess(ServerProcess):
    """hypercorn in a process of its own.

    Args:
        certificates: what it shows.
        directory: an empty one.
        source: of the application, with `store` and `limits` to be filled in.
        limits: of the hub.

    Attributes:
        certificates: as given.
        tls_port: where it speaks HTTP/2 over TLS; `port` is plain.
        tls_url: what a client calls it.
    """

    def __init__(self, certificates: Certificates, directory: Path, *, source: str = _APP, **limits: float) -> None:
        filled = source.format(store=f"sqlite:{directory}/log.db", limits=limits)
        (directory / "served.py").write_text(filled)
        self.certificates = certificates
        self.tls_port = free_port()
        self.tls_url = f"https://{HOST}:{self.tls_port}"
        command = [sys.executable, "-m", "hypercorn", "--graceful-timeout", "1"]
        command += ["--bind", f"127.0.0.1:{self.tls_port}", "--insecure-bind", "127.0.0.1:{port}"]
        command += ["--certfile", str(certificates.chain), "--keyfile", str(certificates.key), "served:app"]
        super().__init__(command, health="/v1/stream/-/health", cwd=directory, log=directory / "hypercorn.log")
