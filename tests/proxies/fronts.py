"""Real proxies in front of a real server, each with the configuration that the documentation ships.

Rule: of a shipped configuration only addresses, certificate files and what a second instance on one machine needs
are replaced, each of them by name; what is not found is an error, so what is documented is what is tested.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

import httpx2
import trustme
from tests.support.processes import START_SECONDS, free_port, required

CONFIGURATIONS = Path(__file__).parents[2] / "examples" / "proxies"
#: The name that the configurations serve.
HOST = "app.example"
#: What the configurations take as the server's address.
BACKEND = "127.0.0.1:4437"


class Certificates:
    """A certificate for `HOST`, its key, and who signed it.

    Attributes:
        chain: the certificate in PEM.
        key: its key in PEM.
        both: the two in one file.
        authority: the certificate of who signed it.
    """

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert(HOST)
        names = ("cert.pem", "key.pem", "both.pem", "authority.pem")
        self.chain, self.key, self.both, self.authority = (directory / name for name in names)
        issued.cert_chain_pems[0].write_to_path(self.chain)
        issued.private_key_pem.write_to_path(self.key)
        issued.private_key_and_cert_chain_pem.write_to_path(self.both)
        authority.cert_pem.write_to_path(self.authority)
        self._authority = authority

    def trusted(self, *protocols: str) -> ssl.SSLContext:
        """A client's context that trusts the certificate, and offers these protocols by ALPN."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


class Front:
    """A proxy in a process of its own; subclassed for each program.

    Args:
        backend: port of the server behind it, or its address as this proxy writes it.
        certificates: what it shows.
        directory: an empty one for its files.
        changes: what else is replaced, for this instance.

    Attributes:
        port: where it listens on 127.0.0.1.
        url: what a client calls it; the name needs to be resolved to 127.0.0.1.
    """

    program: str
    configuration: str

    def __init__(
        self,
        backend: int | str,
        certificates: Certificates,
        directory: Path,
        changes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.port = free_port()
        self.url = f"https://{HOST}:{self.port}"
        self._backend = backend if isinstance(backend, str) else f"127.0.0.1:{backend}"
        self._certificates = certificates
        self._changes = changes
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "proxy.log"
        self._file = directory / self.configuration
        self._file.write_text(self.adapt(self._replaced()))

    def replacements(self) -> dict[str, str]:
        """What is replaced in the shipped configuration; each must occur once."""
        raise NotImplementedError

    def adapt(self, text: str) -> str:
        """The shipped configuration as a whole one for this instance."""
        return text

    def arguments(self) -> list[str]:
        """With which it runs in the foreground."""
        raise NotImplementedError

    def _replaced(self) -> str:
        text = (CONFIGURATIONS / self.configuration).read_text()
        for old, new in {**self.replacements(), **self._changes, BACKEND: self._backend}.items():
            assert text.count(old) == 1, f"{self.configuration} has {text.count(old)} times {old!r}"
            text = text.replace(old, new)
        return text

    @property
    def path(self) -> str:
        """Where the program is."""
        return find(self.program) or self.program

    @property
    def pid(self) -> int:
        """The process that was started; nginx and HAProxy have workers below it."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            # Caddy keeps its state below these.
            homes = {"XDG_CONFIG_HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory)}
            self._process = subprocess.Popen(
                [self.path, *self.arguments()], cwd=self.directory, stdout=log, stderr=log, env=os.environ | homes
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """End it and its workers as a crash does."""
        assert self._process is not None
        for pid in family(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        until(lambda: not self._listens())

    def reload(self) -> None:
        """Let it read its configuration again, as after a change of it, until only the new one takes connections."""
        raise NotImplementedError

    def _replace_workers(self, request: signal.Signals) -> None:
        # A former worker that still listens can take a connection, and tell it right away to go elsewhere.
        assert self._process is not None
        former = set(family(self.pid)) - {self.pid}
        self._process.send_signal(request)
        until(lambda: bool(set(family(self.pid)) - {self.pid} - former))
        until(lambda: not any(listens(pid, self.port) for pid in former))

    def memory(self) -> int:
        """Bytes that the proxy and its workers have to themselves."""
        return sum(private_bytes(pid) for pid in family(self.pid))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()


class Nginx(Front):
    """nginx, with the shipped file in `http {}`, as `conf.d` has it."""

    program = "nginx"
    configuration = "nginx.conf"

    def replacements(self) -> dict[str, str]:
        """See `Front.replacements`."""
        return {
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "/etc/ssl/app.example.pem": str(self._certificates.chain),
            "/etc/ssl/app.example.key": str(self._certificates.key),
        }

    def adapt(self, text: str) -> str:
        """See `Front.adapt`."""
        (self.directory / "site.conf").write_text(text)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {self.directory}/{kind};\n" for kind in kinds)
        return (
            f"daemon off;\nworker_processes 1;\npid {self.directory}/nginx.pid;\n{_user()}"
            f"events {{}}\nhttp {{\naccess_log off;\n{paths}include {self.directory}/site.conf;\n}}\n"
        )

    def arguments(self) -> list[str]:
        """See `Front.arguments`."""
        return ["-e", "stderr", "-c", str(self._file)]

    def reload(self) -> None:
        """See `Front.reload`."""
        self._replace_workers(signal.SIGHUP)


class HAProxy(Front):
    """HAProxy with a master, as systemd runs it."""

    program = "haproxy"
    configuration = "haproxy.cfg"

    def replacements(self) -> dict[str, str]:
        """See `Front.replacements`."""
        return {"bind :443": f"bind 127.0.0.1:{self.port}", "/etc/ssl/app.example.pem": str(self._certificates.both)}

    def arguments(self) -> list[str]:
        """See `Front.arguments`."""
        return ["-W", "-db", "-f", str(self._file)]

    def reload(self) -> None:
        """See `Front.reload`."""
        self._replace_workers(signal.SIGUSR2)


class Caddy(Front):
    """Caddy with a certificate from a file in place of its own."""

    program = "caddy"
    configuration = "Caddyfile"

    def replacements(self) -> dict[str, str]:
        """See `Front.replacements`."""
        state = (
            f"admin unix/{self.directory}/admin.sock\n\tauto_https disable_redirects\n\tskip_install_trust\n"
            "\tgrace_period"
        )
        certificate = f"\n\ttls {self._certificates.chain} {self._certificates.key}\n\tbind 127.0.0.1\n"
        return {"\tgrace_period": f"\t{state}", f"\n{HOST} {{\n": f"\n{HOST}:{self.port} {{{certificate}"}

    def arguments(self) -> list[str]:
        """See `Front.arguments`."""
        return ["run", "--config", str(self._file), "--adapter", "caddyfile"]

    def reload(self) -> None:
        """See `Front.reload`."""
        address = f"unix/{self.directory}/admin.sock"
        command = [self.path, "reload", "--force", "--address", address, "--config", str(self._file)]
        subprocess.run([*command, "--adapter", "caddyfile"], check=True, capture_output=True, timeout=60)

    def memory(self) -> int:
        """Bytes that Caddy uses after a collection; on a busy machine the process holds garbage for a while."""
        transport = httpx2.HTTPTransport(uds=f"{self.directory}/admin.sock")
        with httpx2.Client(transport=transport, headers={"host": ""}) as admin:
            profile = admin.get("http://admin/debug/pprof/heap", params={"gc": 1, "debug": 1}).raise_for_status().text
        [line] = [line for line in profile.splitlines() if line.startswith("# HeapAlloc = ")]
        return int(line.removeprefix("# HeapAlloc = "))


FRONTS: dict[str, type[Front]] = {"nginx": Nginx, "haproxy": HAProxy, "caddy": Caddy}


def find(program: str) -> str | None:
    """Where a program is; servers are in directories that not every user has on the PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = children.read_text().split() if children.exists() else []
    return [pid, *(each for child in below for each in family(int(child)))]


def listens(pid: int, port: int) -> bool:
    """Whether a process, which may be gone, takes connections on a TCP port (proc(5), `/proc/net/tcp`)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].partition(":")[2], 16) == port}
    held: set[str] = set()
    gone = (FileNotFoundError, ProcessLookupError)
    with contextlib.suppress(*gone):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(*gone):
                held.add(str(descriptor.readlink()))
    return bool(sockets & held)


def private_bytes(pid: int) -> int:
    """Memory that a process shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def _user() -> str:
    # As root nginx changes its user, who cannot write into a test's directory.
    return "user root;\n" if os.geteuid() == 0 else ""


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def in_front_of(
    backend: int | str,
    kind: str,
    certificates: Certificates,
    directory: Path,
    changes: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Front]:
    """A running proxy of a kind."""
    required(f"{FRONTS[kind].program} (a package of Debian)", find(FRONTS[kind].program) is not None)
    with FRONTS[kind](backend, certificates, directory, changes) as front:
        yield front
