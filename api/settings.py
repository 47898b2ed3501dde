"""Settings: what an operator may set, by environment variables that begin with STEADYSTATE_."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.limits import CallerLimits, DocumentLimits


class Settings(BaseSettings):
    """The server's settings; nested ones are written with two underscores, as in STEADYSTATE_DOCUMENT__DEPTH."""

    model_config = SettingsConfigDict(env_prefix="STEADYSTATE_", env_nested_delimiter="__", populate_by_name=True)

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "STEADYSTATE_DATABASE_URL"),
        description="PostgreSQL 15 or newer; without it an embedded server is started.",
    )
    app_database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("APP_DATABASE_URL", "STEADYSTATE_APP_DATABASE_URL"),
        description="The same database for the login that serves requests; without it DATABASE_URL takes that role on.",
    )
    relay_database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RELAY_DATABASE_URL", "STEADYSTATE_RELAY_DATABASE_URL"),
        description="The same database for the login that does the upkeep; without it DATABASE_URL takes that role on.",
    )
    database_connections: int = Field(
        default=10, gt=0, le=1_000, description="Connections that one process opens to serve requests."
    )
    data_directory: Path = Field(
        default=Path(".steadystate"),
        description="Where the embedded server keeps its data, if there is no DATABASE_URL.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    trusted_proxies: list[str] = Field(
        default=["127.0.0.1"], description="Addresses whose X-Forwarded-For and -Proto are believed."
    )
    cors_origins: list[str] = Field(
        default=[], description="Origins whose pages may call the API and open sockets, such as https://app.example."
    )
    allow_get_queries: bool = Field(default=False, description="Whether queries may be sent by GET.")
    trusted_documents: Path | None = Field(
        default=None, description="JSON file of documents by the SHA-256 of their text, which clients may send instead."
    )
    only_trusted_documents: bool = Field(default=False, description="Whether no other documents are run.")
    graphiql: bool = Field(default=True, description="Whether GraphiQL is served at /graphiql.")
    metrics: bool = Field(default=False, description="Whether Prometheus' figures are served at /metrics.")
    metrics_token: SecretStr | None = Field(default=None, description="Bearer token that /metrics asks for, if set.")
    log_format: Literal["json", "console"] = Field(default="json", description="How log lines are written.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="What is logged.")
    events_kept_days: int = Field(
        default=90, ge=1, description="How long readers of the feed may stay away; older events are forgotten."
    )

    body_bytes: int = Field(default=1_048_576, gt=0, description="Largest body of a GraphQL request.")
    upload_bytes: int = Field(
        default=1_073_741_824, gt=0, le=2_147_483_647, description="Largest file of an import, packed or not."
    )
    upload_seconds: float = Field(default=3_600, gt=0, description="Time for the whole file of an import to arrive.")
    header_bytes: int = Field(default=32_768, gt=0, description="Largest head of an HTTP request.")
    header_seconds: float = Field(default=10, gt=0, description="Time for a request's head to arrive.")
    body_seconds: float = Field(default=20, gt=0, description="Time for a request's body to arrive.")
    operation_seconds: float = Field(default=10, gt=0, description="Time that one operation may take.")
    slow_reader_seconds: float = Field(default=15, gt=0, description="Time that a reader may leave its answer unread.")
    connections: int = Field(default=2_000, gt=0, description="Connections at a time; more get 503.")
    shutdown_seconds: int = Field(default=15, gt=0, description="Time for requests under way after SIGTERM.")
    socket_init_seconds: float = Field(default=10, gt=0, description="Time for a socket's connection_init to arrive.")
    recheck_seconds: float = Field(
        default=2, gt=0, description="How often the credential of an open socket or stream is checked anew."
    )
    failed_logins_per_minute: int = Field(
        default=600, gt=0, description="Bad credentials from one address before it is refused unheard."
    )
    inbound_per_second: int = Field(
        default=50, gt=0, description="Messages of one inbound source that each process takes in a second."
    )
    inbound_burst: int = Field(default=1_000, gt=0, description="Messages that one inbound source may send at once.")
    document: DocumentLimits = Field(default=DocumentLimits(), description="What one GraphQL document may hold.")
    caller: CallerLimits = Field(default=CallerLimits(), description="What one credential may use up.")
