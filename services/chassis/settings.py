"""Settings come from environment variables named PAYBACK_<GROUP>_<NAME>, and from nowhere else.

A service lists the groups that it needs:

    class OrdersSettings(Settings):
        kafka: KafkaSettings
        database: DatabaseSettings
        http: HttpSettings = HttpSettings(port=8101)

    settings = OrdersSettings.load()

`load` reads the environment and tells every fault at once. Called directly, the class takes its values as arguments and
reads no environment, which is what tests and the embedded stack want.
"""

import os
from difflib import get_close_matches
from pathlib import Path
from re import DOTALL, findall, match
from typing import Any, Literal, Self, cast
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "PAYBACK_"
DEVELOPMENT_ISSUER = "payback-development"
DEVELOPMENT_MARK = "# For development only"
"""A line in the file of a public key."""
REQUESTS_PER_MINUTE = "that one caller may make to all processes together; 0 sets no limit"


class SettingsError(Exception):
    """One or more settings are missing or wrong. The message names each and shows no value."""

    exit_status = 2

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(["These settings are missing or wrong:", *(f"  {fault}" for fault in faults)]))


class Group(BaseModel):
    """Settings that belong together. Frozen; an unknown member is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KafkaSettings(Group):
    """How to reach Kafka, and how much to fetch at once."""

    bootstrap: str = Field(min_length=1, description="host:port, several separated by commas")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    tls_ca_path: Path | None = None
    tls_certificate_path: Path | None = None
    tls_key_path: Path | None = None
    client_id: str = "payback"
    session_timeout_seconds: float = Field(default=10.0, ge=1)
    fetch_max_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    partition_fetch_max_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    fetch_wait_milliseconds: int = Field(default=100, ge=0)
    metadata_seconds: float = Field(
        default=60.0, gt=0, description="how often to ask for topics and partitions even though nothing failed"
    )
    transactions: bool = Field(default=True, description="false only for the embedded broker, which has none")

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> Self:
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            raise ValueError("with SASL, a user name and a password are required")
        return self


class DatabaseSettings(Group):
    """The address of PostgreSQL. `role` owns the schema and does the work; by default it is named like the schema."""

    url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    schema_name: str = Field(pattern="^[a-z_][a-z0-9_]{0,62}$")
    role: str | None = Field(default=None, pattern="^[a-z_][a-z0-9_]{0,62}$")
    pool_size: int = Field(default=10, ge=1)
    connect_timeout_seconds: int = Field(default=3, ge=1)
    statement_timeout_seconds: float = Field(default=30.0, gt=0)
    idle_transaction_seconds: float = Field(
        default=60.0, gt=0, description="after which a process that hangs in a transaction loses it to others"
    )

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value().split(":", 1)[0] not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError("must begin with postgresql://")
        return url

    @property
    def owner(self) -> str:
        """Return the role that owns the schema."""
        return self.role or self.schema_name

    @property
    def at_work(self) -> str:
        """Return the role in which work is done: the process's own, in which it signs in, or else the owner's."""
        user = urlsplit(self.url.get_secret_value()).username
        return user if user in {f"{self.owner}_api", f"{self.owner}_worker"} else self.owner


class StreamSettings(Group):
    """How a worker reads. How much is fetched at once is in KafkaSettings."""

    batch_max_messages: int = Field(default=50_000, ge=1)
    retry_first_seconds: float = Field(default=0.2, gt=0)
    retry_longest_seconds: float = Field(default=15.0, gt=0)
    report_every_seconds: float = Field(
        default=2.0, gt=0, description="how often lag is measured and progress reported to Kafka"
    )
    identity_every_seconds: float = Field(
        default=15.0, gt=0, description="how often the service checks that the topics are the same"
    )
    silent_after_seconds: float = Field(
        default=3.0,
        gt=0,
        description="without an answer of Kafka: what it has afterwards is compared with what was read",
    )
    still_after_seconds: float = Field(
        default=60.0, gt=0, description="after a longer silence, it starts again with a new consumer"
    )
    stuck_after_seconds: float = Field(default=120.0, gt=0, description="after a longer silence, it is not healthy")


class HttpSettings(Group):
    """The address to listen on, and how much callers may ask at once. Each service's table of routes sets the size of requests."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    shutdown_seconds: int = Field(default=10, ge=0)
    requests_per_minute: int = Field(default=0, ge=0, description=REQUESTS_PER_MINUTE)
    public_at_once: int = Field(default=3, ge=1, description="requests of all who are not signed in together")
    public_seconds: float = Field(
        default=60.0, ge=0, description="of work for one caller who is not signed in, in a minute; 0 sets no limit"
    )
    caller_seconds: float = Field(
        default=0.0, ge=0, description="of work for one caller who is signed in, in a minute; 0 sets no limit"
    )
    caller_at_once: int = Field(default=16, ge=1, description="requests of one caller")
    signed_in_at_once: int = Field(
        default=10, ge=1, description="requests of all who are signed in together; one authority has a third of them"
    )
    trusted_proxies: str = Field(
        default="127.0.0.1", description="proxies whose X-Forwarded-For is accepted, separated by commas, or *"
    )


class SiteSettings(Group):
    """How the pages present themselves."""

    title: str = Field(default="Payback", min_length=1, max_length=60)
    simulated: bool = Field(default=False, description="say on every page that the figures are not real")
    insecure_cookie: bool = Field(default=False, description="also sign in over plain HTTP, for your own machine")
    session_hours: int = Field(default=8, ge=1, le=24, description="after which people must sign in again in any case")
    idle_minutes: int = Field(default=30, ge=1, le=480, description="after which a session that nobody uses ends")
    roles_path: Path | None = Field(
        default=None, description="tokens by role, to sign in with one click; for demonstrations only"
    )


class TokenSettings(Group):
    """The accepted issuer of tokens. The PEM may hold several public keys, so that keys can change without a pause."""

    public_key: str | None = None
    public_key_path: Path | None = None
    jwks_url: str | None = Field(default=None, pattern="^https?://", description="where the issuer publishes its keys")
    issuer: str = Field(default="payback", min_length=1)
    audience: str = Field(default="payback", min_length=1)
    longest_hours: float = Field(
        default=366 * 24,
        gt=0,
        description="tokens that last longer are refused; 24 where the issuer renews them",
    )
    denied_path: Path | None = Field(
        default=None, description="a file of ids (jti) of withdrawn tokens, one on each line"
    )
    development: bool = Field(default=False, description="accept tokens for development; never with real data")

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if [self.public_key, self.public_key_path, self.jwks_url].count(None) != 2:
            raise ValueError(
                "give the public key, or the path of a file that holds it, or where the issuer publishes it"
            )
        if not self.development and self.issuer == DEVELOPMENT_ISSUER:
            raise ValueError(f"{DEVELOPMENT_ISSUER} makes tokens for development only")
        if self.jwks_url is None:
            self.keys()
        return self

    def keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Return the public keys, any of which may have signed a token."""
        if DEVELOPMENT_MARK in self._pem() and not self.development:
            raise ValueError("this key is for development only: whoever can read its file can speak for anybody")
        blocks = findall("-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", self._pem(), DOTALL)
        keys = tuple(load_pem_public_key(block.encode()) for block in blocks)
        if not keys or not all(isinstance(key, Ed25519PublicKey) for key in keys):
            raise ValueError("the public key must be of kind Ed25519, in PEM form, beginning with BEGIN PUBLIC KEY")
        return cast(tuple[Ed25519PublicKey, ...], keys)

    def _pem(self) -> str:
        if self.public_key is not None:
            return self.public_key
        assert self.public_key_path is not None
        try:
            return self.public_key_path.read_text()
        except OSError as fault:
            raise ValueError(f"the public key cannot be read: {fault.strerror}") from None


class OidcSettings(Group):
    """How people sign in to pages: by an OpenID Connect provider, of which this site is a client with a secret. If nothing is set, nobody
    can.
    """

    issuer: str = Field(default="", description="the provider's name, at which its discovery document is")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    address: str = Field(default="", description="where people open this site, e.g. https://figures.example")
    scope: str = Field(
        default="openid orders:read orders:manage events:write national:read national:inspect operations",
        description="the scopes asked for; the provider grants each person their own",
    )
    resource: str = Field(default="", description="the audience of tokens, for providers that ask (RFC 8707)")

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        needed = (self.issuer, self.client_id, self.client_secret.get_secret_value(), self.address)
        if any(needed) and not all(needed):
            raise ValueError("give the issuer, the client's id and secret, and the site's address together")
        for url in filter(None, (self.issuer, self.address)):
            if not match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", f"{url}/"):
                raise ValueError("the issuer and the address must begin with https://, except on this machine")
        return self


class MetricsSettings(Group):
    """The port from which Prometheus reads, never the public one. 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class LogSettings(Group):
    """How much is logged."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class AuthoritiesSettings(Group):
    """The list of authorities."""

    path: Path | None = Field(
        default=None,
        description="a file in TOML that adds to the list of authorities (runbook: authorities-change); contracts.authorities reads it",
    )


class TracingSettings(Group):
    """The destination of traces. Needs the extra `tracing`."""

    endpoint: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="a collector of OpenTelemetry, OTLP over HTTP, e.g. http://collector:4318/v1/traces; empty traces nothing",
    )
    share: float = Field(default=1.0, ge=0, le=1, description="of requests that are traced")


# One environment may serve several services and their tests, so these are known everywhere, whether needed or not.
SHARED_GROUPS = {
    *(
        "aggregates",
        "authorities",
        "kafka",
        "database",
        "http",
        "tokens",
        "metrics",
        "logs",
        "stream",
        "test",
        "tracing",
        "webhooks",
    ),
}


class Settings(BaseSettings):
    """The base of every service's settings. A group's field name is one word: the rest is the member's name."""

    authorities: AuthoritiesSettings = AuthoritiesSettings()

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave the environment out of the sources: only `load` reads it."""
        return (init_settings,)

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises SettingsError, which lists every fault."""
        faults = _unknown_names(cls)
        try:
            settings = cls(**_environment(cls))
        except ValidationError as error:
            faults += [_in_words(cls, fault) for fault in error.errors(include_input=False, include_url=False)]
        if faults:
            raise SettingsError(sorted(faults))
        return settings


def given() -> dict[str, str]:
    """Return our environment variables unchanged, secrets included."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIX)}


def _groups(settings: type[Settings]) -> dict[str, type[Group]]:
    annotations = {name: field.annotation for name, field in settings.model_fields.items()}
    return {name: kind for name, kind in annotations.items() if isinstance(kind, type) and issubclass(kind, Group)}


def _environment(settings: type[Settings]) -> dict[str, Any]:
    """Return the values of the environment over the defaults of each group; a missing group is empty, so that its faults show."""
    groups = _groups(settings)
    source = EnvSettingsSource(settings)
    whole = {_variable(name) for name in groups}  # pydantic would read them as JSON, a second way to write the same
    source.env_vars = {name: value for name, value in source.env_vars.items() if name.upper() not in whole}
    found = source()
    for name in groups:
        default = settings.model_fields[name].default
        found[name] = (default.model_dump() if isinstance(default, Group) else {}) | found.get(name, {})
    return found


def _known_names(settings: type[Settings]) -> list[str]:
    groups = _groups(settings)
    alone = [_variable(name) for name in settings.model_fields if name not in groups]
    return alone + [_variable(name, member) for name, group in groups.items() for member in group.model_fields]


def _unknown_names(settings: type[Settings]) -> list[str]:
    """Return names outside every group. Within a group of this service, validation finds them."""
    groups = SHARED_GROUPS | _groups(settings).keys()
    known = _known_names(settings)
    given = [name.upper() for name in os.environ if name.upper().startswith(PREFIX)]
    return [
        _not_a_setting(settings, name)
        for name in given
        if name not in known and not any(name.startswith(_variable(group) + "_") for group in groups)
    ]


def _not_a_setting(settings: type[Settings], name: str) -> str:
    near = get_close_matches(name, _known_names(settings), n=1)
    return f"{name} is not a setting" + (f"; is {near[0]} meant?" if near else "")


def _in_words(settings: type[Settings], fault: ErrorDetails) -> str:
    name = _variable(*(str(part) for part in fault["loc"]))
    if fault["type"] == "missing":
        return f"{name} is required"
    if fault["type"] == "extra_forbidden":
        return _not_a_setting(settings, name)
    message = fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be").split(", unable")[0]
    return f"{name} {message}" if message.startswith("must") else f"{name}: {message}"


def _variable(*parts: str) -> str:
    return PREFIX + "_".join(parts).upper()
