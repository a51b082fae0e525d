"""An nginx of our own, with Nchan or with a file: one worker, everything in one folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

_CONFIG = """\
{load}
user {user};
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  tcp_nodelay on;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{http}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
{server}
  }}
}}
"""

_NCHAN = """\
    location = /publish {
      nchan_publisher;
      nchan_channel_id load;
      nchan_message_buffer_length 5000;
      nchan_message_timeout 60s;
    }
    location = /events {
      nchan_subscriber eventsource;
      nchan_channel_id load;
      nchan_subscriber_first_message newest;
    }
    location = /socket {
      nchan_subscriber websocket;
      nchan_channel_id load;
      nchan_subscriber_first_message newest;
    }"""

_FILE = """\
    default_type text/event-stream;
    sendfile on;
    location = /file { alias FILE; }"""


def missing() -> str | None:
    """The reason why nginx cannot run here."""
    if shutil.which("nginx", path=_path()) is None:
        return "nginx is not installed (Debian: nginx-light)"
    return None


def missing_nchan() -> str | None:
    """The reason why Nchan cannot."""
    return missing() or (None if MODULE.exists() else f"there is no {MODULE} (Debian: libnginx-mod-nchan)")


def nchan(port: int, folder: Path) -> list[str]:
    """The command line, after its configuration is written."""
    return _command(port, folder, f"load_module {MODULE};", "  nchan_shared_memory_size 512M;", _NCHAN)


def static(file: Path) -> Callable[[int, Path], list[str]]:
    """The same for a server of one file, at /file."""
    return lambda port, folder: _command(port, folder, "", "", _FILE.replace("FILE", str(file)))


def _command(port: int, folder: Path, load: str, http: str, server: str) -> list[str]:
    config = folder / "nginx.conf"
    user, files = pwd.getpwuid(os.getuid()).pw_name, os.sysconf("SC_OPEN_MAX")
    text = _CONFIG.format(load=load, user=user, files=files, folder=folder, port=port, http=http, server=server)
    config.write_text(text)
    return [_nginx(), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]


def version() -> str:
    """Of nginx and of the module's Debian package."""
    text = subprocess.run([_nginx(), "-v"], capture_output=True, text=True, check=True).stderr
    query = ["dpkg-query", "--show", "--showformat=${Version}", "libnginx-mod-nchan"]
    package = (
        subprocess.run(query, capture_output=True, text=True, check=False).stdout if shutil.which(query[0]) else ""
    )
    return f"{text.strip().rpartition('/')[2]}, libnginx-mod-nchan {package or 'of unknown version'}"


def _nginx() -> str:
    return str(shutil.which("nginx", path=_path()))


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"
