"""Everything that differs between one installation and another, read once at the edge and passed in.

Settings come from the environment (prefix `BACKSTOP_`) or a `.env` file in the working directory. No other module
reads the environment.
"""

from __future__ import annotations

import functools
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Feed(StrEnum):
    """The upstreams that Backstop reads."""

    SAVANT = "savant"
    STATSAPI = "statsapi"
    THEODDS = "theodds"
    SPORTRADAR = "sportradar"
    CHADWICK = "chadwick"


LIVE_HOSTS: dict[Feed, str] = {
    Feed.SAVANT: "https://baseballsavant.mlb.com",
    Feed.STATSAPI: "https://statsapi.mlb.com",
    Feed.THEODDS: "https://api.the-odds-api.com",
    Feed.SPORTRADAR: "https://api.sportradar.com",
    Feed.CHADWICK: "https://raw.githubusercontent.com",
}

STATCAST_SINCE = 2015
"""The first season with a row per pitch in today's columns."""


UPSTREAMS = "live, demo, recorded:DIR, replay:DIR or an http address"


def known_upstream(written: str) -> str:
    """Return the name of an upstream as it is written.

    Raises:
        ValueError: it is none; what is not known must not be taken for the live feeds.
    """
    kind, _, where = written.partition("://" if written.startswith("http") else ":")
    if written in {"live", "demo"} or (kind in {"recorded", "replay", "http", "https"} and where):
        return written
    raise ValueError(f"{written!r} is not an upstream; expected {UPSTREAMS}")


class Settings(BaseSettings):
    """One frozen object: where things are kept, where feeds are found, and the keys to them."""

    model_config = SettingsConfigDict(env_prefix="BACKSTOP_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(
        default=Path(".backstop"), description="Folder of the lake, the archive, the ledger, embedded Redis"
    )
    redis_url: str | None = Field(
        default=None, description="redis://, rediss://, unix://; unset starts the embedded server under `home`"
    )
    lake_url: str | None = Field(
        default=None,
        description="Where the Parquet tables are: a folder, s3://bucket/prefix (extra `s3`) or another object "
        "store that fsspec knows; unset is a folder under `home`",
    )
    ledger_url: str | None = Field(default=None, description="SQLAlchemy URL; unset is SQLite under `home`")
    upstream: Annotated[str, AfterValidator(known_upstream)] = Field(
        default="live",
        description="live, demo, recorded:DIR, replay:DIR, or the http address of an upstream server",
    )
    savant_url: str = Field(default=LIVE_HOSTS[Feed.SAVANT], description="Where Baseball Savant is found when live")
    statsapi_url: str = Field(default=LIVE_HOSTS[Feed.STATSAPI], description="Where the Stats API is found when live")
    theodds_url: str = Field(default=LIVE_HOSTS[Feed.THEODDS], description="Where The Odds API is found when live")
    sportradar_url: str = Field(default=LIVE_HOSTS[Feed.SPORTRADAR], description="Where SportRadar is found when live")
    chadwick_url: str = Field(
        default=LIVE_HOSTS[Feed.CHADWICK], description="Where the Chadwick register is found when live"
    )
    theodds_key: SecretStr | None = Field(default=None, description="The Odds API key")
    sportradar_key: SecretStr | None = Field(default=None, description="SportRadar key")
    sportradar_access: Annotated[
        str, Field(pattern="^(trial|production)$", description="What the SportRadar key is for: trial or production")
    ] = "trial"
    sportradar_version: Annotated[
        str, Field(pattern="^(v7|v8)$", description="Version of SportRadar's MLB feeds that the key is for: v7 or v8")
    ] = "v8"
    request_timeout_s: Annotated[float, Field(gt=0, description="For connecting and for each read")] = 60.0
    request_budget_s: Annotated[float, Field(gt=0, description="Total time for one request with its retries")] = 180.0
    odds_markets: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z_]+(, ?[a-z_]+)*$",
            description="Markets that the books are asked for, by commas, or `all` that are projected; unset is six",
        ),
    ] = None
    odds_alternates: bool = Field(
        default=False,
        description="Ask the books for their alternate lines too; The Odds API charges each as a market of its own",
    )
    credit_floor: Annotated[int, Field(ge=0, description="Credits of a paid feed that are never spent")] = 20
    history_first_season: Annotated[
        int, Field(ge=STATCAST_SINCE, description="First season kept as history; a back-test begins one before its own")
    ] = 2024
    store_codec: Annotated[str, Field(pattern="^(plain|zstd)$", description="How slates are packed in Redis")] = "plain"
    notify_url: SecretStr | None = Field(
        default=None, description="Webhook that is told of late and degraded slates and of failed runs"
    )
    private_hosts: str | None = Field(
        default=None,
        description="Hosts, by commas, where feeds and the webhook may be although their addresses are not public",
    )
    board_url: str | None = Field(
        default=None, description="Where the board is served; runs link to it in the Prefect UI"
    )
    task_runner: Annotated[
        str,
        Field(
            pattern=r"^(threads|dask:[1-9][0-9]{0,2}|dask:(tcp|tls)://\S+:[0-9]+)$",
            description="Where mapped tasks run: threads, dask:N (N processes here), dask:tcp://HOST:PORT (a cluster)",
        ),
    ] = "threads"
    unmatched_names_limit: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of quotes with an unknown player above which all are blocked; "
            "a quarter where fewer than three names are unknown; 0 lets none through",
        ),
    ] = 0.02

    api_host: str = Field(default="127.0.0.1", description="Address that the HTTP API listens on")
    api_port: Annotated[int, Field(ge=0, le=65535, description="Port of the HTTP API")] = 8090
    api_keys: SecretStr | None = Field(
        default=None, description="Keys that callers of the HTTP API must send one of, by commas; unset asks for none"
    )
    api_names: str | None = Field(
        default=None, description="Host names, by commas, that the HTTP API answers to besides its own address"
    )
    api_origins: str | None = Field(
        default=None, description="Origins, by commas, whose pages may read the HTTP API; unset allows no other site"
    )
    api_requests_per_s: Annotated[
        float, Field(gt=0, description="Requests a second that one caller of the HTTP API may make, twice that at once")
    ] = 1000.0
    cache_mb: Annotated[int, Field(ge=1, description="Bound on the cache in each process that reads, MB")] = 256

    def url_of(self, feed: Feed) -> str:
        """Return the base address of a feed, without a slash at its end.

        An `upstream` that is itself an address (the demo or the recorded server) speaks every feed's dialect.
        """
        if self.upstream.startswith(("http://", "https://")):
            return self.upstream.rstrip("/")
        url: str = getattr(self, f"{feed}_url")
        return url.rstrip("/")

    def key_of(self, feed: Feed) -> SecretStr | None:
        """Return the secret of a paid feed, `None` where the feed needs none or none is set."""
        return getattr(self, f"{feed}_key", None)

    def pointed_at(self, base_url: str) -> Settings:
        """Return settings that find every feed at one server, such as the demo or the recorded upstream."""
        return self.model_copy(update={"upstream": base_url})

    @functools.cached_property
    def ledger_file(self) -> Path:
        """The ledger, where no address of one is set."""
        return self.home / "ledger.sqlite"

    @functools.cached_property
    def lake_dir(self) -> Path:
        """Folder of the Parquet tables."""
        return self.home / "lake"

    @functools.cached_property
    def archive_dir(self) -> Path:
        """Folder of the raw answers."""
        return self.home / "archive"
