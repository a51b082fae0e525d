"""The applications of `docs/howto/own-streams.md`, under the servers that it names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from tests.conftest import Run
from tests.docs.pages import ROOT, block, blocks
from tests.support.inprocess import rest_of
from tests.support.lanes import Lane, UvicornLane, served_by_uvicorn
from tests.support.processes import ServerProcess, headwater_server

PAGE = ROOT / "docs" / "howto" / "own-streams.md"
SSE = {"accept": "text/event-stream"}


def test_own_streams(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each user reads their own, live, until they sign out; what is public everybody; other sites' pages nothing."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "own"}
    exec(compile(block(PAGE, "python", "file: own.py"), "own.py", "exec", dont_inherit=True), names)

    async def main() -> None:
        async with names["hub"] as hub, served_by_uvicorn(names["app"]) as port:
            door: Lane = UvicornLane(hub, port)
            assert await door.status("POST", "/sign-in?user=ada&password=guess") == 401
            shown = {}
            for user, password in names["PASSWORDS"].items():
                found = await door.say("POST", f"/sign-in?user={user}&password={password}")
                assert "HttpOnly" in (found.header("set-cookie") or "")
                shown[user] = {"cookie": found.cookie}
            assert await door.status("POST", "/tell/ada?text=hello") == 200
            assert await door.status("GET", "/streams/users/ada/inbox", shown["ada"]) == 200
            assert await door.status("GET", "/streams/users/bob/inbox", shown["ada"]) == 403
            assert await door.status("GET", "/streams/users/ada/inbox", shown["bob"]) == 403
            assert await door.status("GET", "/streams/users/ada/inbox") == 401
            assert await door.status("GET", "/streams/news/today") == 404
            evil = {**shown["ada"], "sec-fetch-site": "cross-site"}
            assert await door.status("GET", "/streams/users/ada/inbox", evil) == 403
            assert b"EventSource" in (await door.say("GET", "/ada")).body
            with await door.events("/streams/users/ada/inbox?missing=wait", {**SSE, **shown["ada"]}) as tab:
                await door.status("POST", "/tell/ada?text=again")
                assert await door.status("POST", "/sign-out", shown["ada"]) == 200
                told = await rest_of(tab)
                assert b"hello" in told
                assert b"kicked" in told
            assert await door.status("GET", "/streams/users/ada/inbox", shown["ada"]) == 401

    run(main())


# Django, in a process of its own, as it has one application a process.

SETTINGS = """
SECRET_KEY = "test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.db"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
URLS = """
from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponse
from django.urls import path
from views import tell

def sign_in(request):
    user = authenticate(request, username=request.POST["name"], password="secret")
    login(request, user)
    return HttpResponse(str(user.pk))

def sign_out(request):
    logout(request)
    return HttpResponse("")

urlpatterns = [path("in", sign_in), path("out", sign_out), path("tell", tell)]
"""
MANAGE = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
for name in ("ada", "bob"):
    User.objects.create_user(name, password="secret")
"""


def test_django(tmp_path: Path) -> None:
    """Django's session is the reader's proof; a view writes; who signs out, or is made inactive, may nothing."""
    for name, text in {
        "settings.py": SETTINGS,
        "urls.py": URLS,
        "manage.py": MANAGE,
        "asgi.py": block(PAGE, "python", "file: asgi.py"),
        "views.py": block(PAGE, "python", "file: views.py"),
    }.items():
        (tmp_path / name).write_text(text)
    subprocess.run([sys.executable, "manage.py"], cwd=tmp_path, check=True, timeout=120)
    command = [sys.executable, "-m", "uvicorn", "asgi:application", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess(command, health="/streams/-/health", cwd=tmp_path) as server:
        ada, bob, nobody = (httpx2.Client(base_url=server.url, trust_env=False, timeout=30) for _ in range(3))
        with ada, bob, nobody:
            ids = {name: client.post("/in", data={"name": name}).text for name, client in (("ada", ada), ("bob", bob))}
            assert ada.post("/tell", data={"text": "hello"}).status_code == 204
            inbox = f"/streams/users/{ids['ada']}/inbox"
            assert ada.get(inbox).json() == [{"text": "hello"}]
            assert bob.get(inbox).status_code == 403
            assert nobody.get(inbox).status_code == 401
            cookie = {"cookie": f"sessionid={ada.cookies['sessionid']}"}
            assert nobody.get(inbox, headers=cookie).status_code == 200
            ada.post("/out")
            assert nobody.get(inbox, headers=cookie).status_code == 401


def test_tokens_of_another_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its private key signs, ours verifies; nobody reads more than the ceiling, and the public key signs nothing."""
    monkeypatch.chdir(tmp_path)
    marked = [code for mark, code in blocks(PAGE, "sh") if mark == "tested: tests/docs/test_own_streams.py"]
    script = marked[-1].splitlines()
    for line in [line for line in script if line.startswith("openssl")]:
        subprocess.run(line.split(), check=True, capture_output=True, timeout=60)
    (tmp_path / "keys.toml").write_text(block(PAGE, "toml", "file: keys.toml"))
    names: dict[str, Any] = {"__name__": "service"}
    exec(compile(block(PAGE, "python", "file: service.py"), "service.py", "exec", dont_inherit=True), names)
    with (
        headwater_server("memory:", *script[-1].split()[2:], "--public-create", "**") as server,
        httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as client,
    ):

        def status(path: str, shown: str) -> int:
            return client.get(f"/v1/stream/{path}", headers={"authorization": f"Bearer {shown}"}).status_code

        client.put("/v1/stream/users/ada/inbox")
        ada, bob = names["token"]("ada"), names["token"]("bob")
        assert [status("users/ada/inbox", shown) for shown in (ada, bob)] == [200, 403]
        assert status("users/ada/inbox", names["token"]("*")) == 401
        claims = jwt.decode(ada, options={"verify_signature": False})
        wider = jwt.encode({**claims, "streams": {"read": ["**"]}}, names["KEY"], algorithm="RS256")
        assert status("users/ada/inbox", wider) == 401
        forged = jwt.api_jws.PyJWS().encode(json.dumps(claims).encode(), b"x" * 32, algorithm="HS256")
        assert status("users/ada/inbox", forged) == 401
