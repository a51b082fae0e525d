"""What a server sends, as bytes: vectors of RFC 6455 section 5.7, and the lengths at which headers change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket import frames


def test_the_vectors_of_the_standard() -> None:
    """A single-frame unmasked text message; a ping; 256 bytes and 64 KiB of binary."""
    assert frames.text(b"Hello") == bytes.fromhex("810548656c6c6f")
    assert frames.frame(frames.PING, b"Hello") == bytes.fromhex("890548656c6c6f")
    assert frames.binary(bytes(256)) == bytes.fromhex("827e0100") + bytes(256)
    assert frames.binary(bytes(65536)) == bytes.fromhex("827f0000000000010000") + bytes(65536)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_frame_is_what_the_library_makes(size: int, opcode: Opcode) -> None:
    """Byte for byte, at the edges of each length."""
    payload = b"x" * size
    made = frames.text(payload) if opcode is Opcode.TEXT else frames.binary(payload)
    assert made == Frame(opcode, payload).serialize(mask=False)


def test_a_close_frame_is_never_too_long() -> None:
    """The reason is cut between two characters, at 123 bytes."""
    made = frames.close(4400, "ä" * 100)
    assert made[:2] == bytes((frames.CLOSE, 2 + 122))
    assert made[2:4] == (4400).to_bytes(2)
    assert made[4:].decode() == "ä" * 61


@given(st.lists(st.tuples(st.sampled_from([frames.TEXT, frames.BINARY, frames.CLOSE]), st.binary(max_size=300))))
def test_frames_are_taken_apart_again(given_frames: list[tuple[int, bytes]]) -> None:
    """What is put together comes apart as it was."""
    joined = b"".join(frames.frame(first, payload) for first, payload in given_frames)
    assert list(frames.split(joined)) == given_frames


def test_long_frames_are_taken_apart() -> None:
    """Those with eight bytes of length, too."""
    payloads = [bytes(70_000), b"", bytes(300)]
    joined = b"".join(map(frames.binary, payloads))
    assert [payload for _, payload in frames.split(joined)] == payloads
