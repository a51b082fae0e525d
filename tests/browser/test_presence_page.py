"""The scripts of docs/howto/presence.md in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from playwright.sync_api import Page
from tests.docs.pages import ROOT, block

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "howto" / "presence.md"


def test_a_page_is_a_member(page: Page, server: Server) -> None:
    """It sees itself and others, what they say and that they go; a reload is the same member; a beacon is a leave."""
    url = f"{server.url}/v1/stream/rooms/7"
    httpx2.put(url, headers={"content-type": "application/json"}).raise_for_status()
    code = block(PAGE, "js", "run: who is there")
    for _ in range(2):
        page.goto(f"{server.url}/-/health")
        page.evaluate("() => { window.shown = []; window.show = value => shown.push(value); }")
        page.evaluate(f"() => {{ {code} }}")
        page.wait_for_function("shown.at(-1)?.[0]?.state?.typing === true")
        assert httpx2.get(f"{url}/-/presence").json()["count"] == 1
    httpx2.post(f"{url}/-/presence", json={"id": "bob", "state": {"name": "Bob"}}).raise_for_status()
    page.wait_for_function("shown.at(-1).some(member => member.state.name === 'Bob')")
    leave = block(PAGE, "js", "run: who leaves")
    page.evaluate(f"() => {{ {leave}; leave(sessionStorage.member, sessionStorage.memberKey) }}")
    page.wait_for_function("shown.at(-1).length === 1 && shown.at(-1)[0].id === 'bob'")
