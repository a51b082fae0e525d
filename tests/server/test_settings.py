"""Settings: where they come from, and how a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.hub import Limits
from headwater.protocol.compression import Compression
from headwater.server.settings import (
    InvalidSettings,
    Settings,
    compression_of,
    describe_settings,
    hosts_of,
    limits_of,
    load_settings,
    proxies_of,
)


def test_the_defaults_are_valid() -> None:
    """Without any source the server listens on loopback, port 4437, with a SQLite file."""
    settings = load_settings({}, {})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 4437, "sqlite:headwater.db")


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """The nearer to the command, the stronger."""
    file = tmp_path / "headwater.toml"
    file.write_text('port = 1\nstore = "memory:"\nhost = "::1"\nmax_body_bytes = 5\n')
    environ = {"HEADWATER_PORT": "2", "HEADWATER_STORE": "sqlite:x", "HEADWATER_CONFIG": str(file)}
    settings = load_settings({"port": 3}, environ)
    assert (settings.port, settings.store, settings.host, settings.max_body_bytes) == (3, "sqlite:x", "::1", 5)
    assert load_settings({}, {}, file).port == 1


def test_values_from_the_environment_are_converted() -> None:
    """Numbers, booleans and lists are written as text there."""
    environ = {
        "HEADWATER_INSECURE": "true",
        "HEADWATER_BODY_SECONDS": "2.5",
        "HEADWATER_CORS_ORIGINS": "https://a.example, loopback",
    }
    settings = load_settings({}, environ)
    assert (settings.insecure, settings.body_seconds) == (True, 2.5)
    assert settings.cors_origins == ("https://a.example", "loopback")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"prot": 1}, "no setting prot"),
        ({"port": "many"}, "^port must be a whole number, not 'many'$"),
        ({"port": "4437.5"}, "^port must be a whole number"),
        ({"body_seconds": "soon"}, "^body_seconds must be a number, not 'soon'$"),
        ({"insecure": "perhaps"}, "^insecure must be true or false, not 'perhaps'$"),
        ({"store": 7}, "^store must be text, not 7$"),
        ({"cors_origins": [7]}, "^cors_origins must be a list of texts"),
        ({"port": 70_000}, "65535"),
        ({"max_body_bytes": 0}, "max_body_bytes must be greater than 0"),
        ({"body_seconds": -1.0}, "body_seconds"),
        ({"prefix": "v1"}, "slash"),
        ({"tls_cert": "x.pem"}, "together"),
        ({"log_level": "loud"}, "loud"),
        ({"trusted_proxies": "loopback, proxy.example"}, "trusted_proxies has 'proxy.example'"),
    ],
)
def test_a_wrong_setting_is_named(flags: dict[str, object], words: str) -> None:
    """The message has the setting's name and what it takes."""
    with pytest.raises(InvalidSettings, match=words):
        load_settings(flags, {})


@pytest.mark.parametrize("content", [b"port = ", b"\xff", None])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    """Missing, not TOML, not UTF-8."""
    file = tmp_path / "x.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSettings, match=r"x\.toml"):
        load_settings({}, {}, file)


def test_every_setting_is_described() -> None:
    """Each field has a sentence, a flag and a variable; nothing is described that does not exist."""
    described = describe_settings()
    assert {setting.name for setting in described} == set(Settings.__struct_fields__)
    assert all(setting.help.endswith(".") for setting in described)
    one = next(setting for setting in described if setting.name == "max_body_bytes")
    assert (one.flag, one.variable, one.default) == ("--max-body-bytes", "HEADWATER_MAX_BODY_BYTES", 16 * 1024 * 1024)
    assert all("\n" not in setting.help for setting in described)


def test_trusted_proxies_are_addresses_and_networks() -> None:
    """Loopback by default, in both its forms; `*` is everybody, and an empty value nobody."""
    assert proxies_of(load_settings({}, {})) == ["127.0.0.0/8", "::1"]
    assert proxies_of(load_settings({"trusted_proxies": "10.0.0.0/8,::7"}, {})) == ["10.0.0.0/8", "::7/128"]
    assert proxies_of(load_settings({"trusted_proxies": "loopback,*"}, {})) == ["*"]
    assert proxies_of(load_settings({"trusted_proxies": ""}, {})) == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"allowed_hosts": "app.example,*.example"}, r"allowed_hosts.*'\*\.example' is not a host"),
        ({"cors_origins": "app.example"}, "cors_origins: 'app.example' is not an origin such as https"),
    ],
)
def test_a_name_that_could_never_match_is_refused(flags: dict[str, str | int], words: str) -> None:
    """In place of a server that lets nobody in."""
    with pytest.raises(InvalidSettings, match=words):
        load_settings(flags, {})


@pytest.mark.parametrize("host", ["fe80::1%eth0", "::", "0.0.0.0", "localhost"])
def test_any_address_may_be_listened_on(host: str) -> None:
    """Also one with its interface, which is no part of a name."""
    assert hosts_of(load_settings({"host": host}, {}))[-1] == host.partition("%")[0]


def test_the_hub_takes_its_part() -> None:
    """The limits among the settings are the hub's."""
    assert limits_of(load_settings({"max_readers": 7}, {})) == Limits(max_readers=7)


def test_compression_is_off_until_codings_are_named() -> None:
    """Then the other settings say how."""
    assert compression_of(load_settings({}, {})) is None
    environ = {"HEADWATER_COMPRESSION": "zstd, gzip", "HEADWATER_COMPRESS_LEVEL": "1"}
    found = compression_of(load_settings({"compress_min_bytes": 99, "compress_contexts": 7}, environ))
    assert found == Compression(codings=("zstd", "gzip"), level=1, min_bytes=99, contexts=7)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"compression": "gzip,deflate"}, "zstd, br, gzip, permessage-deflate, not deflate"),
        ({"compress_level": 10}, "from 1 to 9, not 10"),
        ({"compress_contexts": 0}, "compress_contexts must be greater than 0"),
    ],
)
def test_compression_that_does_not_exist_is_refused(flags: dict[str, str | int], words: str) -> None:
    """The message has what there is."""
    with pytest.raises(InvalidSettings, match=words):
        load_settings(flags, {})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HEADWATER_PROT", "HEADWATER_PROT (is it HEADWATER_PORT?)"),
        ("HEADWATER_MAX_BODY", "HEADWATER_MAX_BODY (is it HEADWATER_MAX_BODY_BYTES?)"),
        ("HEADWATER_QQQQQQQQ", "HEADWATER_QQQQQQQQ of"),
    ],
)
def test_a_misspelled_variable_is_refused(name: str, words: str) -> None:
    """A setting that would silently not hold; the nearest name is told."""
    with pytest.raises(InvalidSettings, match="environment") as caught:
        load_settings({}, {name: "1"})
    assert words in caught.value.message


def test_variables_that_a_file_of_keys_names_are_let_through(tmp_path: Path) -> None:
    """Whatever they are called; what the file does not name is refused all the same."""
    file = tmp_path / "keys.toml"
    file.write_text('[[keys]]\nissuer = "a"\naudience = "b"\nalgorithm = "HS256"\nenv = "HEADWATER_KEY_OF_A"\n')
    environ = {"HEADWATER_ACCESS_KEYS": str(file), "HEADWATER_KEY_OF_A": "secret"}
    assert load_settings({}, environ).access_keys == str(file)
    with pytest.raises(InvalidSettings, match="HEADWATER_KEY_OF_B"):
        load_settings({}, {**environ, "HEADWATER_KEY_OF_B": "secret"})
    for text in ("keys = 1", "no TOML", "keys = [1]", "[[keys]]\nenv = 1"):
        file.write_text(text)
        assert load_settings({}, {"HEADWATER_ACCESS_KEYS": str(file)}).access_keys == str(file)
    assert load_settings({"access_keys": str(tmp_path / "none")}, {}).access_keys is not None


def test_variables_of_other_commands_are_let_through() -> None:
    """One environment serves the server and the client commands."""
    assert load_settings({}, {"HEADWATER_URL": "http://x", "HEADWATER_CLIENT_KEYS": "a,b", "OTHER": "1"}) == Settings()
