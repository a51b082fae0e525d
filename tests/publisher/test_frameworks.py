"""`Publisher` where people have it: a Celery worker, a Flask view, a Django command, each in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore
from typing import Final
from urllib.request import Request, urlopen

import pytest
from tests.publisher.conftest import Read
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, free_port

pytestmark = pytest.mark.slow

CELERY: Final = """
import os
from celery import Celery
from headwater.publisher import Publisher

app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {name: "queue" for name in ("data_folder_in", "data_folder_out", "control_folder")}
app.conf.worker_hijack_root_logger = False
publisher = Publisher(os.environ["HEADWATER"], name="celery")


@app.task
def work(job, count):
    for number in range(count):
        publisher.post(f"jobs/{job}", number, create="application/json")
    publisher.append(f"jobs/{job}", "end", close=True, timeout=None)
"""
FLASK: Final = """
import os, sys
from flask import Flask, request
from headwater.publisher import Publisher

app = Flask(__name__)
publisher = Publisher(os.environ["HEADWATER"])


@app.post("/say")
def say():
    return publisher.append("room", request.get_json(), create="application/json")


@app.get("/health")
def health():
    return ""


app.run(port=int(sys.argv[1]), threaded=True)
"""
DJANGO: Final = {
    "manage.py": """
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
execute_from_command_line(sys.argv)
""",
    "settings.py": """
import os
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
HEADWATER_URL = os.environ["HEADWATER"]
""",
    "shop/__init__.py": "",
    "shop/models.py": """
from django.db import models
class Item(models.Model):
    name = models.TextField()
""",
    "shop/migrations/__init__.py": "",
    "shop/management/__init__.py": "",
    "shop/management/commands/__init__.py": "",
    "shop/management/commands/fill.py": """
from functools import partial
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from headwater.publisher import Publisher
from shop.models import Item

publisher = Publisher(settings.HEADWATER_URL)


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--wait", action="store_true")

    def handle(self, **options):
        for number in range(20):
            if number == 10 and options["wait"]:
                publisher.flush(None)
                print("half", flush=True)  # the server is killed now
                input()
            try:
                with transaction.atomic():
                    Item.objects.create(name=str(number))
                    post = partial(publisher.post, "items", number, create="application/json")
                    transaction.on_commit(post)
                    if number % 5 == 4:
                        raise LookupError
            except LookupError:
                pass
        assert Item.objects.count() == 16
""",
}


@contextmanager
def process(
    directory: Path, server: ServerProcess, *command: str, pipes: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that publishes; asked to end, in the end.

    Args:
        directory: where it is.
        server: to which it publishes.
        command: for Python.
        pipes: `subprocess.PIPE`: the test talks with it.
    """
    environ = {**os.environ, "HEADWATER": server.url, "PYTHONPATH": os.pathsep.join([str(directory), *sys.path])}
    command = (sys.executable, *command)
    with subprocess.Popen(command, cwd=directory, env=environ, stdin=pipes, stdout=pipes) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.wait(30)


def test_a_celery_worker(tmp_path: Path, server: ServerProcess, read: Read) -> None:
    """Prefork, two processes: each job's records once and in order, through a crash of the server."""
    (tmp_path / "tasks.py").write_text(CELERY)
    (tmp_path / "queue").mkdir()
    jobs, count = 6, 400
    worker = (
        "-m",
        "celery",
        "-A",
        "tasks",
        "worker",
        "--pool",
        "prefork",
        "--concurrency",
        "2",
        "--loglevel",
        "WARNING",
    )
    with process(tmp_path, server, *worker):
        send = f"from tasks import work; [work.delay(job, {count}) for job in range({jobs})]"
        with process(tmp_path, server, "-c", send) as sender:
            assert sender.wait(60) == 0
        with opened(server, "GET", "/v1/stream/jobs/0?missing=wait", accept="application/x-ndjson") as first:
            while b'"data"' not in first.readline():
                pass
        server.kill()
        server.start()
        for job in range(jobs):
            with opened(server, "GET", f"/v1/stream/jobs/{job}?missing=wait", accept="application/x-ndjson") as lines:
                told = [json.loads(line) for line in lines]
            assert told[-1]["control"] == "closed"
            assert [line["data"] for line in told if "data" in line] == [*range(count), "end"]


def test_a_flask_view(tmp_path: Path, server: ServerProcess, read: Read) -> None:
    """Threads of one process: what a view has answered is there, once."""
    (tmp_path / "site.py").write_text(FLASK)
    port = free_port()
    web = ServerProcess([sys.executable, str(tmp_path / "site.py"), str(port)], health="/health")
    web.port, web.url = port, f"http://127.0.0.1:{port}"

    def say(number: int) -> str:
        head = {"content-type": "application/json"}
        with urlopen(Request(f"{web.url}/say", json.dumps(number).encode(), head), timeout=30) as answer:
            return str(answer.read().decode())

    os.environ["HEADWATER"] = server.url
    try:
        with web, ThreadPoolExecutor(8) as pool:
            offsets = list(pool.map(say, range(100)))
    finally:
        del os.environ["HEADWATER"]
    assert sorted(read("room")) == list(range(100))
    tail = call(server, "HEAD", "/v1/stream/room").headers["stream-next-offset"]
    assert max(offsets) == tail


def test_a_flask_view_through_restarts(tmp_path: Path, server: ServerProcess, read: Read) -> None:
    """Views that wait while the server is killed, and stopped: each record once, and each client's in order."""
    (tmp_path / "site.py").write_text(FLASK)
    port, clients, count = free_port(), 4, 40
    web = ServerProcess([sys.executable, str(tmp_path / "site.py"), str(port)], health="/health")
    web.port, web.url = port, f"http://127.0.0.1:{port}"
    answered = Semaphore(0)

    def say(client: int) -> None:
        head = {"content-type": "application/json"}
        for number in range(count):
            body = json.dumps([client, number]).encode()
            with urlopen(Request(f"{web.url}/say", body, head), timeout=120) as answer:
                assert answer.status == 200
            answered.release()

    os.environ["HEADWATER"] = server.url
    try:
        with web, ThreadPoolExecutor(clients) as pool:
            saying = [pool.submit(say, client) for client in range(clients)]
            for end in (server.kill, server.stop):
                for _ in range(clients * count // 4):
                    assert answered.acquire(timeout=120)
                end()
                server.start()
            for each in saying:
                each.result(120)
    finally:
        del os.environ["HEADWATER"]
    found = read("room")
    assert len(found) == clients * count
    for client in range(clients):
        assert [number for who, number in found if who == client] == list(range(count))


def test_a_django_command(tmp_path: Path, server: ServerProcess, read: Read) -> None:
    """What was committed is published, what was rolled back is not; the command's end waits for it."""
    for name, text in DJANGO.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for command in (("makemigrations", "shop"), ("migrate",), ("fill",)):
        with process(tmp_path, server, "manage.py", *command, "--verbosity", "0") as running:
            assert running.wait(60) == 0
    assert read("items") == [number for number in range(20) if number % 5 != 4]


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_django_command_through_a_restart(tmp_path: Path, server: ServerProcess, read: Read, end: str) -> None:
    """Half of its records are committed while the server is gone; all come once and in order, and it ends well."""
    for name, text in DJANGO.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for command in (("makemigrations", "shop"), ("migrate",)):
        with process(tmp_path, server, "manage.py", *command, "--verbosity", "0") as running:
            assert running.wait(60) == 0
    with process(tmp_path, server, "manage.py", "fill", "--wait", pipes=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stdout.readline() == b"half\n"
        getattr(server, end)()
        running.stdin.write(b"go on\n")
        running.stdin.flush()
        server.start()
        assert running.wait(60) == 0
    assert read("items") == [number for number in range(20) if number % 5 != 4]
