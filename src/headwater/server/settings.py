"""Every setting of the server: from a TOML file, the environment and flags, the later over the earlier.

Rule: a setting is a field of `Settings` or `Limits` and a line of its docstring; flags, variables, `--help` and the
documentation follow from these.
"""

from __future__ import annotations

import inspect
import ipaddress
import tomllib
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec

from headwater.errors import HeadwaterError
from headwater.hub import Limits
from headwater.hub.limits import check_numbers
from headwater.protocol.compression import Compression
from headwater.protocol.cors import ANY, LOOPBACK, CorsPolicy, HostPolicy
from headwater.server.inherited import MAX_DESCRIPTOR

#: Every environment variable is this and the setting's name in upper case: `HEADWATER_PORT`.
ENV_PREFIX: Final = "HEADWATER_"
#: The variable that names the TOML file, as `--config` does.
ENV_CONFIG: Final = "HEADWATER_CONFIG"
#: Variables that are no settings: the file above, and those of the other commands.
_NO_SETTINGS: Final = frozenset({ENV_CONFIG, "HEADWATER_URL", "HEADWATER_CLIENT_KEYS", "HEADWATER_ACCESS_KEY"})
#: What a value must be, in words, by the setting's type.
_KINDS: Final[dict[Any, str]] = {
    int: "a whole number",
    int | None: "a whole number",
    float: "a number",
    bool: "true or false",
}


class InvalidSettings(HeadwaterError, ValueError):
    """A setting is not valid."""

    code = "invalid-settings"


class Settings(Limits, frozen=True, kw_only=True):
    """How `headwater serve` runs. The fields of `Limits` are settings too.

    Attributes:
        host: address to listen on; other than loopback only with access and TLS, or `behind_proxy`, or `insecure`.
        port: TCP port; 0 takes a free one.
        fd: descriptor of a socket that listens already and that this process inherits; `host` and `port` are then its
            own. Without it, the sockets that systemd passes on (`LISTEN_FDS`) count before `host` and `port`.
        store: where the logs live: `memory:` or `sqlite:PATH`, with options as a query.
        prefix: where streams begin in URLs.
        schemas: file or folder of JSON Schemas, which streams' records are held to; each says in `x-streams`, a list of
            paths and patterns, whose. Needs the extra `schemas`.
        cors_origins: pages of other origins that may use the server: `*`, `loopback`, or origins, with commas.
        allowed_hosts: names the server answers to: `*`, `loopback`, or host names, with commas; add your proxy's.
        trusted_proxies: whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: `loopback`, `unix` (who connects
            by a Unix socket), addresses, networks such as `10.0.0.0/8`, or `*`, with commas; empty: nobody's.
        insecure: listen beyond loopback although anybody who reaches the port may read and write.
        page: serve the page at `/`.
        introspection: answer below `/-/`, for whoever reaches the server.
        serve_private: serve the streams that a program keeps for itself, those of runs, like all others; without,
            requests for them are answered 403, and `/-/` does not name them.
        multi: serve what names several streams in one request, such as POST `-/append`. Take it away where a proxy in
            front guards streams by their paths: it does not see which they are.
        access_keys: TOML file with a table `[[keys]]` for each key of who issues tokens: `issuer`, `audience`,
            `algorithm`, and `file`, `env` or `jwks`. With a key, or anything public, the server asks who may do what.
        access_key_file: file with the secret, or the public key in PEM, of the one issuer that the next settings are
            of; in its place the variable `HEADWATER_ACCESS_KEY`. Read again at SIGHUP.
        access_jwks: URL where that issuer publishes its keys, in place of a file.
        access_issuer: `iss` of its tokens.
        access_audience: what `aud` of its tokens must have.
        access_algorithm: of its key: `HS256`, `RS256`, `PS256`, `ES256`, each also with 384 and 512, or `EdDSA`.
        max_token_seconds: for which a token may still be good when it is shown; at most seven days.
        public_read: patterns of streams that everybody may read, with commas.
        public_append: the same to append to.
        public_close: the same to close.
        public_create: the same to create.
        public_delete: the same to delete.
        public_signal: the same to send signals to.
        public_presence: the same to be at, and to see who is.
        public_list: the same to list below; `**` for the figures and metrics too.
        behind_proxy: listen beyond loopback without TLS, for a proxy in front encrypts; only with access.
        compression: codings of responses to reads that are offered, the preferred first, with commas: `zstd`, `br`
            (finished bodies only), `gzip`; for messages of WebSockets, `permessage-deflate`; empty: all is sent as it
            is.
        compress_min_bytes: a finished body, the part of a live response that is one reader's own, or a message, is sent
            as it is below this.
        compress_level: 1 (fast) to 9 (small).
        compress_contexts: streams with live readers whose records are compressed with what was sent before them, for
            each coding; about 100 kB of memory each. The records of more streams are compressed by themselves.
        tls_cert: file with the certificate chain in PEM; HTTPS with `tls_key`. Both are read again at SIGHUP.
        tls_key: file with the private key in PEM.
        max_connections: connections at the same time; more are answered 503.
        max_header_bytes: request line and headers of a request; more is answered 431.
        head_seconds: how long a request's head may take to arrive, counted from the connection's start as well.
        keep_alive_seconds: how long a connection may stay silent between two requests.
        shutdown_seconds: how long a stop waits for responses under way before it cuts them.
        log_level: `critical`, `error`, `warning`, `info` or `debug`.
        access_log: log every request.
        hash_paths: lines about what was refused have hashes in place of streams' paths.
        banner: print what to try when the server has started.
    """

    host: str = "127.0.0.1"
    port: int = 4437
    fd: int | None = None
    store: str = "sqlite:headwater.db"
    prefix: str = "/v1/stream/"
    schemas: str | None = None
    cors_origins: tuple[str, ...] = (LOOPBACK,)
    allowed_hosts: tuple[str, ...] = (LOOPBACK,)
    trusted_proxies: tuple[str, ...] = (LOOPBACK,)
    insecure: bool = False
    page: bool = True
    introspection: bool = True
    serve_private: bool = False
    multi: bool = True
    access_keys: str | None = None
    access_key_file: str | None = None
    access_jwks: str | None = None
    access_issuer: str = "headwater"
    access_audience: str = "headwater"
    access_algorithm: str = "HS256"
    max_token_seconds: int = 24 * 3600
    public_read: tuple[str, ...] = ()
    public_append: tuple[str, ...] = ()
    public_close: tuple[str, ...] = ()
    public_create: tuple[str, ...] = ()
    public_delete: tuple[str, ...] = ()
    public_signal: tuple[str, ...] = ()
    public_presence: tuple[str, ...] = ()
    public_list: tuple[str, ...] = ()
    behind_proxy: bool = False
    compression: tuple[str, ...] = ()
    compress_min_bytes: int = Compression().min_bytes
    compress_level: int = Compression().level
    compress_contexts: int = Compression().contexts
    tls_cert: str | None = None
    tls_key: str | None = None
    max_connections: int = 60_000
    max_header_bytes: int = 32 * 1024
    head_seconds: float = 10.0
    keep_alive_seconds: int = 15
    shutdown_seconds: int = 10
    log_level: str = "info"
    access_log: bool = False
    hash_paths: bool = False
    banner: bool = True


class Setting(msgspec.Struct, frozen=True):
    """What there is to know of one setting.

    Attributes:
        name: the field, the key in the TOML file; the flag has dashes for underscores.
        kind: its Python type.
        default: what holds when nobody says otherwise.
        help: one sentence.
    """

    name: str
    kind: Any
    default: Any
    help: str

    @property
    def flag(self) -> str:
        """The command line's name."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment's name."""
        return ENV_PREFIX + self.name.upper()


def describe_settings() -> list[Setting]:
    """Every setting: the server's own first, then the limits."""
    texts = {**_attributes(Settings), **_attributes(Limits)}
    hints = get_type_hints(Settings)
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    return [Setting(name, hints[name], defaults[name], text) for name, text in texts.items()]


def _attributes(cls: type) -> dict[str, str]:
    """The `Attributes:` of a class's own docstring, each as one line."""
    section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    for line in section.splitlines():
        name, colon, text = line.strip().partition(": ")
        if colon and line.startswith("    ") and not line.startswith("     "):
            found[name] = text
        elif line.strip():
            found[next(reversed(found))] += " " + line.strip()
    return found


def load_settings(flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """The settings from all sources.

    Args:
        flags: values by name, of those that were given.
        environ: the environment.
        config: the TOML file; None: the one that `HEADWATER_CONFIG` names, if it is set.

    Raises:
        InvalidSettings: an unknown name, a value of the wrong type, or values that exclude each other.
    """
    if config is None and environ.get(ENV_CONFIG):
        config = Path(environ[ENV_CONFIG])
    known = {setting.name: setting for setting in describe_settings()}
    values: dict[str, Any] = {}
    if config is not None:
        values.update(_from_file(config))
    values.update(
        {setting.name: environ[setting.variable] for setting in known.values() if setting.variable in environ}
    )
    values.update(flags)
    check_variables(environ, _variables_of_keys(values.get("access_keys")))
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InvalidSettings(f"there is no setting {_named(unknown, known)}; `headwater serve --help` lists them")
    return check_settings(_convert(values))


def check_variables(environ: Mapping[str, str], named: Collection[str] = ()) -> None:
    """Refuse variables of ours that nothing reads: a setting that is misspelled would be left at its default.

    Args:
        environ: the environment.
        named: those that are read because somebody named them.

    Raises:
        InvalidSettings: there is one; the message says which it may be.
    """
    known = {setting.variable for setting in describe_settings()} | _NO_SETTINGS | set(named)
    unknown = sorted(name for name in environ if name.startswith(ENV_PREFIX) and name not in known)
    if unknown:
        raise InvalidSettings(
            f"there is no setting for {_named(unknown, known)} of the environment; `headwater serve --help` lists them"
        )


def _variables_of_keys(file: Any) -> list[str]:
    """The variables with keys that the file of `access_keys` names; what is wrong with it is told when it is used."""
    try:
        tables = tomllib.loads(Path(file).read_text())["keys"] if file else []
        return [table["env"] for table in tables if "env" in table]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return []


def _named(unknown: Sequence[str], known: Collection[str]) -> str:
    """Unknown names, each with the known one that is nearest to it."""
    nearest = {name: get_close_matches(name, known, 1, cutoff=0.7) for name in unknown}
    return ", ".join(f"{name} (is it {found[0]}?)" if found else name for name, found in nearest.items())


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"the settings file {path} cannot be read: {error}") from None


def _convert(values: dict[str, Any]) -> Settings:
    for setting in describe_settings():
        name = setting.name
        if isinstance(setting.default, tuple) and isinstance(value := values.get(name), str):
            values[name] = [part.strip() for part in value.split(",") if part.strip()]
    for setting in describe_settings():
        if setting.name in values:
            _check_kind(setting, values[setting.name])
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(str(error)) from None


def _check_kind(setting: Setting, value: Any) -> None:
    try:
        msgspec.convert(value, setting.kind, strict=False)
    except msgspec.ValidationError:
        wanted = _KINDS.get(setting.kind, "a list of texts" if isinstance(setting.default, tuple) else "text")
        raise InvalidSettings(f"{setting.name} must be {wanted}, not {value!r}") from None


def check_settings(settings: Settings) -> Settings:
    """The same settings, if they fit each other.

    Raises:
        InvalidSettings: they do not.
    """
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise InvalidSettings("tls_cert and tls_key must be given together")
    if not (settings.prefix.startswith("/") and settings.prefix.endswith("/")):
        raise InvalidSettings(f"prefix must begin and end with a slash, not {settings.prefix!r}")
    if not 0 <= settings.port <= 65535:
        raise InvalidSettings(f"port must be from 0 to 65535, not {settings.port}")
    if settings.fd is not None and not 0 <= settings.fd <= MAX_DESCRIPTOR:
        raise InvalidSettings(f"fd must be the number of an open descriptor, 0 or greater, not {settings.fd}")
    own = set(Settings.__struct_fields__) - set(Limits.__struct_fields__) - {"port", "fd"}
    try:
        check_numbers(settings, sorted(own))
    except ValueError as error:
        raise InvalidSettings(str(error)) from None
    if settings.log_level not in ("critical", "error", "warning", "info", "debug"):
        raise InvalidSettings(f"log_level {settings.log_level!r} is none of critical, error, warning, info, debug")
    proxies_of(settings)
    compression_of(settings)
    _check_names(settings)
    return settings


def _check_names(settings: Settings) -> None:
    try:
        HostPolicy(hosts_of(settings))
    except ValueError as error:
        raise InvalidSettings(f"allowed_hosts and host: {error}") from None
    try:
        CorsPolicy(settings.cors_origins)
    except ValueError as error:
        raise InvalidSettings(f"cors_origins: {error}") from None


def hosts_of(settings: Settings) -> tuple[str, ...]:
    """The names the server answers to: those allowed, and the address it listens on."""
    if settings.insecure and settings.allowed_hosts == (LOOPBACK,):
        return (ANY,)
    # An address may name the interface it is of (RFC 4007 section 11), which no Host header does.
    own = settings.host.partition("%")[0]
    return (*settings.allowed_hosts, own) if own else settings.allowed_hosts


def proxies_of(settings: Settings) -> list[str]:
    """Addresses and networks of the trusted proxies, or `*`.

    Raises:
        InvalidSettings: one of them is neither.
    """
    found: list[str] = []
    for value in settings.trusted_proxies:
        if value == LOOPBACK:
            found += ("127.0.0.0/8", "::1")
            continue
        try:
            found.append(value if value == ANY else str(ipaddress.ip_network(value)))
        except ValueError:
            raise InvalidSettings(
                f"trusted_proxies has {value!r}, which is neither an address nor a network such as 10.0.0.0/8"
            ) from None
    return [ANY] if ANY in found else found


def compression_of(settings: Settings) -> Compression | None:
    """The part of the settings that is compression; None: there is none.

    Raises:
        InvalidSettings: an unknown coding, or a level that does not exist.
    """
    try:
        found = Compression(
            codings=settings.compression,
            min_bytes=settings.compress_min_bytes,
            level=settings.compress_level,
            contexts=settings.compress_contexts,
        )
    except ValueError as error:
        raise InvalidSettings(str(error)) from None
    return found if found.codings else None


def limits_of(settings: Settings) -> Limits:
    """The part of the settings that the hub takes."""
    return Limits(**{name: getattr(settings, name) for name in Limits.__struct_fields__})
