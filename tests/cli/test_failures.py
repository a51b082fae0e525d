"""What a failed command advises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from headwater.cli.failures import ExitCode, failure_of
from headwater.client.errors import NetworkError

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Server


def test_a_server_without_tls_is_told(call: Call, server: Server) -> None:
    """There is one; to start another would not help."""
    result = call("info", "jobs/7", "--url", server.url.replace("http:", "https:"))
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "write http:// in --url or HEADWATER_URL" in result.stderr


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate", "SSL_CERT_FILE"),
        ("[Errno 111] Connection refused", "headwater serve"),
        ("no connection in time", "headwater serve"),
    ],
)
def test_the_advice_fits_the_reason(reason: str, advice: str) -> None:
    """A certificate that is not trusted is no server that is missing."""
    assert advice in failure_of(NetworkError(reason), "https://host").advice
