"""Streams and connections of MessagePack and Protobuf in a real browser: by libraries that the page loads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from playwright.sync_api import Page
from tests.browser.client_site import CLIENT, served, until
from tests.browser.conftest import Server
from tests.support.processes import required

pytestmark = pytest.mark.slow

#: As a compiler of Protobuf writes it: `int32 n = 1; string name = 2`. Nothing of it is made by `eval`.
PROTOBUF = """
import protobuf from "protobufjs/minimal"
export const encode = ({ n = 0, name = "" }) => {
  const writer = protobuf.Writer.create()
  if (n) writer.uint32(8).int32(n)
  if (name) writer.uint32(18).string(name)
  return writer.finish()
}
export const decode = (bytes) => {
  const reader = protobuf.Reader.create(bytes), found = {}
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) found.n = reader.int32()
    else if (tag === 18) found.name = reader.string()
    else reader.skipType(tag & 7)
  }
  return found
}
"""
PAGE = """
import { stream } from "./index.js"
import { connect } from "./connection.js"
import { msgpack } from "./msgpack.js"
import { protobuf } from "./protobuf.js"
const codecs = { msgpack: () => import("./with-msgpack.js"), protobuf: () => import("./with-protobuf.js") }
const sockets = {
  msgpack: msgpack(codecs.msgpack),
  protobuf: protobuf(() => import("./protobufjs.js")),
}
Object.assign(window, { stream, connect, codecs, sockets })
"""
TYPES = {"msgpack": "application/msgpack", "protobuf": "application/x-protobuf; encoding=delimited"}
VALUES = {
    "msgpack": [1, "zwei", {"three": [3, None, True]}, "x" * 300],
    "protobuf": [{"n": 1}, {"n": 300, "name": "zwei"}, {}, {"name": "y" * 200}],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a page is that has the client, and the two libraries beside it."""
    directory = tmp_path_factory.mktemp("codecs")
    required("clients/typescript/node_modules: make it", (CLIENT / "node_modules" / "@msgpack" / "msgpack").is_dir())
    libraries = {
        "with-msgpack": 'export { encode, decode } from "@msgpack/msgpack"',
        "with-protobuf": PROTOBUF,
        "protobufjs": 'export { default } from "protobufjs/minimal"',
    }
    for name, code in libraries.items():
        command: list[str | Path] = [
            CLIENT / "node_modules" / ".bin" / "esbuild",
            "--bundle",
            "--format=esm",
            "--log-level=error",
        ]
        command.append(f"--outfile={directory}/{name}.js")
        subprocess.run(command, cwd=CLIENT, input=code, text=True, check=True, timeout=60)
    with served(directory, ("index", "connection", "msgpack", "protobuf"), PAGE) as url:
        yield url


@pytest.fixture
def client(page: Page, site: str) -> Page:
    page.goto(site)
    until(page, "window.stream !== undefined")
    return page


ALL = "async () => {{ const got = []; for await (const {{ data }} of {}) got.push(data); return got }}"
LOADED = "performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1))"


@pytest.mark.parametrize("name", ["msgpack", "protobuf"])
def test_values_come_and_go_over_each_transport_and_a_connection(client: Page, server: Server, name: str) -> None:
    """What the page appends, and another one's bytes, to each reader; the library comes with the first record."""
    url, type_, values = f"{server.url}/v1/stream/codecs/{name}", TYPES[name], VALUES[name]
    options = [url, f"{server.url}/v1/stream/", name, type_]
    client.evaluate(
        "([url, root, name, type]) => { window.options = { type, codec: codecs[name], retry: { base: 50 } };"
        " window.to = stream(url, options); window.over = connect(root).stream(`codecs/${name}`, options) }",
        options,
    )
    assert f"with-{name}.js" not in client.evaluate(LOADED)
    client.evaluate("to.create()")
    client.evaluate("async (values) => { for (const value of values) await to.append(value) }", values)
    assert f"with-{name}.js" in client.evaluate(LOADED)
    client.evaluate("(values) => Promise.all(values.map((value) => over.append(value)))", values)
    if name == "msgpack":
        body = b"".join(map(msgspec.msgpack.encode, values))
        httpx2.post(url, content=body, headers={"content-type": type_}).raise_for_status()
        values = [*values, *VALUES[name], *VALUES[name]]
    else:
        values = [*values, *values]
    client.evaluate("to.close()")
    for transport in ("auto", "sse", "ndjson", "long-poll", "live-sse"):
        assert client.evaluate(ALL.format(f"to.read({{ transport: '{transport}' }})")) == values, transport
    assert client.evaluate(ALL.format("over")) == values


SUBPROTOCOL = """async ([root, name]) => {
    window.protocols = []
    const Real = WebSocket
    window.WebSocket = class extends Real {
        constructor(...given) { super(...given); this.addEventListener("open", () => protocols.push(this.protocol)) }
    }
    window.connection = connect(root, { socket: sockets[name], name: "ada", retry: { base: 50 } })
    window.room = connection.stream("rooms/7")
    window.files = connection.stream("files/7", { type: "application/octet-stream" })
    await room.create({ records: [{ text: "hé" }] })
    await files.create()
}"""
TALK = """async () => {
    const presence = room.presence({ typing: false })
    const signals = room.signals()[Symbol.asyncIterator]()
    window.got = []
    window.reading = (async () => { for await (const { data, raw } of room) got.push([data, raw]) })()
    for await (const members of presence) if (members.length) break
    room.signal({ on: [true] }, { topic: "typing" })
    const { value } = await signals.next()
    await Promise.all([1, null, { n: 2.5 }].map((each) => room.append(each)))
    await files.append(new Uint8Array([0, 255, 128]))
    const { type, closed } = await files.head()
    const refused = await connection.stream("none").append(1).catch(({ code, status }) => [code, status])
    return [presence.members, presence.count, value.data, value.topic, type, closed, refused]
}"""


@pytest.mark.parametrize("name", ["msgpack", "protobuf"])
def test_the_messages_of_a_connection(client: Page, server: Server, name: str) -> None:
    """Records, signals, members and refusals in another subprotocol, through a crash of the server."""
    client.evaluate(SUBPROTOCOL, [f"{server.url}/v1/stream/", name])
    assert client.evaluate(TALK) == [
        [{"id": "ada", "state": {"typing": False}}],
        1,
        {"on": [True]},
        "typing",
        "application/octet-stream",
        False,
        ["stream-not-found", 404],
    ]
    server.restart()
    client.evaluate("room.append('after').then(() => room.close())")
    client.evaluate("reading")
    values = [{"text": "hé"}, 1, None, {"n": 2.5}, "after"]
    assert [data for data, _ in client.evaluate("got")] == values
    assert [json.loads(raw) for _, raw in client.evaluate("got")] == values
    client.evaluate("files.close()")
    assert client.evaluate(ALL.format("files").replace("push(data)", "push([...data])")) == [[0, 255, 128]]
    assert set(client.evaluate("protocols")) == {f"headwater.v1+{name}"}
    assert httpx2.get(f"{server.url}/v1/stream/rooms/7?offset=-1").json() == values
