"""Where a client is, as text and back."""

from __future__ import annotations

import pytest

from headwater.hub.peers import address_of, client_at, network_of


@pytest.mark.parametrize("client", [("127.0.0.1", 80), ("2001:db8::1", 65535), ("fe80::1%eth0", 1), None])
def test_an_address_is_read_as_it_was_written(client: tuple[str, int] | None) -> None:
    assert client_at(address_of(client)) == client
    assert network_of(client_at(address_of(client))) == network_of(client)
